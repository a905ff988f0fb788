//! Rule sets as the tools print them.

pub mod nft;
