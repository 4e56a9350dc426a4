//! The usual listing of a public API, one item per line.

use std::error::Error;

use public_api::{Builder, PublicItem};
use rustdoc_types::{Crate, ItemEnum};

pub(crate) fn items(path: &str, krate: &Crate) -> Result<Vec<String>, Box<dyn Error>> {
    let api = Builder::from_rustdoc_json(path)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()?;
    let items = api.items().filter(|item| !is_prescribed(krate, item));
    Ok(items.map(ToString::to_string).collect())
}

/// Whether the line of the `impl` says it all: a trait's methods have the trait's own signatures, and
/// derived ones have names of parameters that change with the version of the derive macro.
fn is_prescribed(krate: &Crate, item: &PublicItem) -> bool {
    let inner = |id| krate.index.get(&id).map(|item| &item.inner);
    match (item.parent_id().and_then(inner), inner(item.id())) {
        (Some(ItemEnum::Impl(parent)), Some(ItemEnum::Function(_))) => parent.trait_.is_some(),
        (_, Some(ItemEnum::Impl(own))) => {
            own.trait_.as_ref().is_some_and(|one| one.path.ends_with("StructuralPartialEq"))
        }
        _ => false,
    }
}
