//! Which public types can hold a secret.

use std::collections::{BTreeSet, HashSet};

use rustdoc_types::{
    Crate, GenericParamDefKind, Generics, Id, Item, ItemEnum, StructKind, VariantKind, Visibility,
};
use serde_json::Value;

/// The types that values and the API key are kept in. All are from other crates, whose fields
/// rustdoc does not describe.
const KEPT_IN: [&str; 6] =
    ["SecretBox", "SecretString", "Zeroizing", "Bytes", "HeaderMap", "HeaderValue"];

/// The fake control plane keeps what it is given as plain text, so no type shows that it is secret.
const ALL_PLAIN: &str = "testing::";

/// The public names, as their users write them.
pub(crate) fn names(krate: &Crate) -> BTreeSet<String> {
    let mut public = Vec::new();
    collect(krate, krate.root, "", &mut public);
    let holds = |(name, id): &(String, Id)| {
        let item = &krate.index[id];
        is_generic(item)
            || (name.starts_with(ALL_PLAIN) && !fields(krate, item).is_empty())
            || holds_secret(krate, *id, &mut HashSet::new())
    };
    public.into_iter().filter(holds).map(|(name, _)| name).collect()
}

/// Collects the types that can be named, with their paths. The JSON has private items as well, so
/// only `pub` ones are followed.
fn collect(krate: &Crate, module: Id, path: &str, found: &mut Vec<(String, Id)>) {
    let ItemEnum::Module(module) = &krate.index[&module].inner else { return };
    for item in module.items.iter().map(|id| &krate.index[id]) {
        if item.visibility != Visibility::Public {
            continue;
        }
        let named = |name: &str| format!("{path}{name}");
        match &item.inner {
            ItemEnum::Module(_) => {
                collect(krate, item.id, &named(&format!("{}::", name(item))), found);
            }
            ItemEnum::Use(used) => {
                assert!(!used.is_glob, "a glob import hides what is public: {}", used.source);
                let target = used.id.and_then(|id| krate.index.get(&id));
                found
                    .extend(target.filter(|one| is_type(one)).map(|it| (named(&used.name), it.id)));
            }
            _ if is_type(item) => found.push((named(name(item)), item.id)),
            _ => {}
        }
    }
}

fn name(item: &Item) -> &str {
    item.name.as_deref().unwrap_or_default()
}

fn is_type(item: &Item) -> bool {
    matches!(item.inner, ItemEnum::Struct(_) | ItemEnum::Enum(_) | ItemEnum::Union(_))
}

/// A `Page<T>` holds what `T` does, and pages of secrets exist.
fn is_generic(item: &Item) -> bool {
    let parameters = |generics: &Generics| {
        let mut all = generics.params.iter();
        all.any(|one| matches!(one.kind, GenericParamDefKind::Type { .. }))
    };
    match &item.inner {
        ItemEnum::Struct(one) => parameters(&one.generics),
        ItemEnum::Enum(one) => parameters(&one.generics),
        ItemEnum::Union(one) => parameters(&one.generics),
        _ => false,
    }
}

fn holds_secret(krate: &Crate, id: Id, seen: &mut HashSet<Id>) -> bool {
    if !seen.insert(id) {
        return false;
    }
    let Some(item) = krate.index.get(&id) else {
        // Another crate's type.
        let path = krate.paths.get(&id).and_then(|one| one.path.last());
        return path.is_some_and(|name| KEPT_IN.contains(&name.as_str()));
    };
    let mut mentioned = Mentioned::default();
    match &item.inner {
        ItemEnum::TypeAlias(alias) => mentioned.add(&alias.type_),
        _ => fields(krate, item).into_iter().for_each(|field| mentioned.add(&field.inner)),
    }
    // A trait object or a function can hold anything.
    mentioned.unknown || mentioned.types.into_iter().any(|id| holds_secret(krate, id, seen))
}

fn fields<'a>(krate: &'a Crate, item: &Item) -> Vec<&'a Item> {
    let ids: Vec<Id> = match &item.inner {
        ItemEnum::Struct(one) => match &one.kind {
            StructKind::Unit => Vec::new(),
            StructKind::Tuple(fields) => fields.iter().copied().flatten().collect(),
            StructKind::Plain { fields, .. } => fields.clone(),
        },
        ItemEnum::Variant(one) => match &one.kind {
            VariantKind::Plain => Vec::new(),
            VariantKind::Tuple(fields) => fields.iter().copied().flatten().collect(),
            VariantKind::Struct { fields, .. } => fields.clone(),
        },
        ItemEnum::Union(one) => one.fields.clone(),
        ItemEnum::Enum(one) => {
            let variants = one.variants.iter().map(|id| &krate.index[id]);
            return variants.flat_map(|variant| fields(krate, variant)).collect();
        }
        _ => Vec::new(),
    };
    ids.iter().map(|id| &krate.index[id]).collect()
}

/// What a type is made of, wherever in it: `Arc<Mutex<[Option<A>]>>` is made of four types.
#[derive(Default)]
struct Mentioned {
    types: Vec<Id>,
    unknown: bool,
}

impl Mentioned {
    fn add(&mut self, part: &impl serde::Serialize) {
        // As JSON, so that a kind of type that is added later is not missed.
        self.add_json(&serde_json::to_value(part).unwrap_or_default());
    }

    fn add_json(&mut self, part: &Value) {
        match part {
            Value::Array(parts) => parts.iter().for_each(|part| self.add_json(part)),
            Value::Object(parts) => {
                self.unknown |= parts.contains_key("dyn_trait");
                let id = parts.get("resolved_path").and_then(|path| path["id"].as_u64());
                self.types.extend(id.and_then(|id| u32::try_from(id).ok()).map(Id));
                parts.values().for_each(|part| self.add_json(part));
            }
            _ => {}
        }
    }
}
