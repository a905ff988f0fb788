//! Text of one format in, declarations with spans out. A front-end never fails: what it cannot understand it reports.

pub mod docker;
pub mod lab_file;
pub mod sentence_list;
pub mod spec_file;
pub mod yaml;
