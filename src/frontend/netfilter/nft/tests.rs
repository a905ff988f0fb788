//! Rule sets of nftables -> rules.
