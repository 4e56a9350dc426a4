//! `/secret-groups`, except for the manifest form of its PUT.

use serde_json::{Map, Value, json};

use super::entities::{Group, Store};
use super::parsed_request::Call;
use super::response::{Problem, Response};
use super::state::State;
use super::{render, rules};

type Reply = Result<Response, Response>;

pub(super) fn list(state: &State, call: &Call) -> Reply {
    let window = call.window()?;
    let fqn = call.param("fqn");
    let search = call.param("search").map(|text| text.to_lowercase());
    let attributes: Vec<String> = call
        .params()
        .into_iter()
        .filter(|(name, _)| name == "attributes")
        .map(|(_, value)| value)
        .collect();
    let contains =
        |name: &str| search.as_deref().is_none_or(|text| name.to_lowercase().contains(text));
    let found: Vec<&Group> = state
        .groups
        .iter()
        .filter(|group| state.visible(group))
        .filter(|group| fqn.as_ref().is_none_or(|fqn| *fqn == state.fqn(group)))
        .filter(|group| contains(&group.name) || group.keys.iter().any(|key| contains(&key.name)))
        .collect();
    Ok(render::page(state, &found, &window, |group| {
        render::only(render::group(state, group), &attributes)
    }))
}

pub(super) fn get(state: &State, id: &str) -> Reply {
    Ok(render::data(render::group(state, state.group(id)?)))
}

pub(super) fn create(state: &mut State, call: &Call) -> Reply {
    let body = call.json()?;
    let name = text(&body, "name")?;
    let entries = entries(&body)?;
    for entry in &entries {
        if entry.value.is_none() {
            return Err(incomplete(&[problem(entry.index, "value", "must be a string")]));
        }
    }
    if state.stores.is_empty() {
        return Err(no_store());
    }
    let integration = text(&body, "integrationId")?;
    let store = state
        .stores
        .iter()
        .find(|store| store.id == integration)
        .cloned()
        .ok_or_else(|| Response::error(404, "Integration not found"))?;
    if state.own_group(&name).is_some() {
        return Err(Response::error(409, "Secret group with this name already exists"));
    }
    for entry in &entries {
        check(state, &store, &name, None, entry)?;
    }
    state.store_works(false)?;

    let mut group = state.new_group(&name, Some(store.id));
    for entry in &entries {
        group.set(&mut state.clock, &entry.key, entry.value.as_deref().unwrap_or_default());
    }
    let response = render::data(render::group(state, &group));
    state.groups.push(group);
    Ok(response)
}

pub(super) fn update(state: &mut State, call: &Call, id: &str) -> Reply {
    let mut group = state.group(id)?.clone();
    let body = call.json()?;
    let entries = entries(&body)?;
    if entries.is_empty() {
        return Err(Response::error(
            422,
            "Cannot update secret group with zero secrets. Include at least one secret in the payload.",
        ));
    }
    for entry in &entries {
        if entry.value.is_none() && group.key(&entry.key).is_none() {
            let words = "is missing and the group has no such key";
            return Err(incomplete(&[problem(entry.index, "value", words)]));
        }
        if let Some(store) = state.store_of(&group) {
            check(state, store, &group.name, Some(&group), entry)?;
        }
    }
    state.store_works(false)?;

    let left_out: Vec<String> = group
        .keys
        .iter()
        .filter(|key| entries.iter().all(|entry| entry.key != key.name))
        .map(|key| key.name.clone())
        .collect();
    state.remove_keys(id, &left_out);
    group.keys.retain(|key| !left_out.contains(&key.name));
    group.updated = state.clock.tick();
    for entry in &entries {
        if let Some(value) = &entry.value {
            group.set(&mut state.clock, &entry.key, value);
        }
    }
    let response = render::data(render::group(state, &group));
    replace(state, group);
    Ok(response)
}

pub(super) fn delete(state: &mut State, call: &Call, id: &str) -> Reply {
    let forced = call.flag("forceDelete")?;
    state.group(id)?;
    state.store_works(forced)?;
    state.remove_group(id);
    Ok(Response::json(200, &json!({})))
}

pub(super) fn replace(state: &mut State, group: Group) {
    if let Some(slot) = state.groups.iter_mut().find(|slot| slot.id == group.id) {
        *slot = group;
    }
}

pub(super) fn no_store() -> Response {
    Response::error(
        400,
        "No secret store configured for this workspace. Contact your platform admin.",
    )
}

pub(super) fn text(body: &Map<String, Value>, name: &str) -> Result<String, Response> {
    match body.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        _ => Err(Response::error(422, format!("{name} must be a non-empty string"))),
    }
}

struct Entry {
    index: usize,
    key: String,
    value: Option<String>,
}

/// The list of `{key, value?}`. No response ever quotes any part of a value.
fn entries(body: &Map<String, Value>) -> Result<Vec<Entry>, Response> {
    let Some(Value::Array(list)) = body.get("secrets") else {
        let path = "secrets".to_owned();
        return Err(incomplete(&[Problem { path, message: "must be an array" }]));
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(list.len());
    let mut problems = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let value = match item.get("value") {
            None | Some(Value::Null) => None,
            Some(Value::String(value)) => Some(value.clone()),
            Some(_) => {
                problems.push(problem(index, "value", "must be a string"));
                continue;
            }
        };
        match item.get("key") {
            Some(Value::String(key)) if !key.is_empty() => {
                if entries.iter().any(|entry| entry.key == *key) {
                    return Err(Response::error(422, format!("Duplicate secret key: {key}")));
                }
                entries.push(Entry { index, key: key.clone(), value });
            }
            _ => problems.push(problem(index, "key", "must be a non-empty string")),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(incomplete(&problems)) }
}

fn problem(index: usize, field: &str, message: &'static str) -> Problem {
    Problem { path: format!("secrets.{index}.{field}"), message }
}

fn incomplete(problems: &[Problem]) -> Response {
    let words = "Unprocessable entity. Ensure all secrets have both \"key\" and \"value\" fields.";
    Response::error(422, words).details(problems)
}

/// The store sees only what is written to it: keys that stay as they are, are not checked again.
fn check(
    state: &State,
    store: &Store,
    name: &str,
    group: Option<&Group>,
    entry: &Entry,
) -> Result<(), Response> {
    let Some(value) = &entry.value else { return Ok(()) };
    if group.is_none_or(|group| group.key(&entry.key).is_none()) {
        rules::check_key(&store.kind, &entry.key)?;
        state.tombstones.check(store, name, &entry.key)?;
    }
    rules::check_value(&store.kind, &entry.key, value)
}
