//! Everything that is tested from outside: one binary, so that Z3 is linked once.

mod agreement;
mod architecture;
mod live;
mod reality;
mod specs;
mod support;
