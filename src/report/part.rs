//! Which members of a crowd are meant: in words, and as data.

use serde::Serialize;

use crate::check::{Extent, Part};
use crate::language::{Text, text};

/// Who of a crowd.
pub(super) fn who(part: Option<&Part>) -> Text {
    let Some(part) = part else { return text!("all of them", "전부") };
    let listed = part.listed();
    match part.extent {
        Extent::Only => text!("only {listed}", "{listed}만"),
        Extent::AllBut => text!("all but {listed}", "{listed} 외 전부"),
        Extent::Some => text!("some of them", "일부"),
    }
}

/// Not everybody that a dialler stands for.
#[derive(Serialize)]
pub(super) struct PartJson {
    extent: &'static str,
    addresses: Vec<String>,
}

impl PartJson {
    pub(super) fn of(part: &Part) -> Self {
        let extent = match part.extent {
            Extent::Only => "only",
            Extent::AllBut => "all_but",
            Extent::Some => "some",
        };
        Self { extent, addresses: part.addresses.clone() }
    }
}
