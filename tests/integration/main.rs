//! All integration tests in one binary, so that Z3 is linked once.

mod reality;
