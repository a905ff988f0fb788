//! Rendering results for people and programs.

pub mod rules;
