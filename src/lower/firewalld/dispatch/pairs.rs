//! 2.0 to 2.4.
use super::super::writer::Writer;
use crate::lab::Firewalld;
/// Writes zones and policies.
pub(in super::super) fn write(_writer: &mut Writer<'_>, _firewalld: &Firewalld) {}
