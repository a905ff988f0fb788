//! 2.0 to 2.4.
use crate::lab::Firewalld;
use super::super::writer::Writer;
/// Writes zones and policies.
pub(in super::super) fn write(_writer: &mut Writer<'_>, _firewalld: &Firewalld) {}
