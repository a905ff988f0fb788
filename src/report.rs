//! One renderer per output.

pub mod rules;
