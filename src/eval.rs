//! The concrete interpreter.
