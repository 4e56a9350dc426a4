//! `/secrets`.

use serde_json::{Map, Value, json};

use super::entities::{Group, Key};
use super::parsed_request::{Call, bad_request, body_window};
use super::render;
use super::response::Response;
use super::state::{Quirk, State};

type Reply = Result<Response, Response>;

pub(super) fn list(state: &State, call: &Call) -> Reply {
    let body = call.json()?;
    let window = body_window(&body)?;
    let group_id = optional(&body, "secretGroupId", Value::as_str, "a string")?;
    let with_value = optional(&body, "withValue", Value::as_bool, "a boolean value")?;
    let fqns = match body.get("secretFqns") {
        None | Some(Value::Null) => None,
        Some(Value::Array(list)) => Some(
            list.iter()
                .map(|fqn| fqn.as_str().map(str::to_owned))
                .collect::<Option<Vec<String>>>()
                .ok_or_else(|| {
                    bad_request("each value in secretFqns must be a string".to_owned())
                })?,
        ),
        Some(_) => return Err(bad_request("secretFqns must be an array".to_owned())),
    };
    if let Some(id) = group_id {
        state.group(id)?;
    }
    let mut found = Vec::new();
    for group in &state.groups {
        if group_id.is_some_and(|id| id != group.id) {
            continue;
        }
        for key in &group.keys {
            let asked = fqns
                .as_ref()
                .is_none_or(|fqns| fqns.contains(&render::secret_fqn(state, group, key)));
            if asked && state.visible(group) {
                found.push((group, key));
            } else if asked && fqns.is_some() {
                return Err(super::state::forbidden());
            }
        }
    }
    if state.has(Quirk::StrictBatches) {
        missing(state, fqns.as_deref().unwrap_or_default(), &found)?;
    }
    let with_value = with_value.unwrap_or(false)
        && !state.has(Quirk::ValuesHidden)
        && !state.has(Quirk::NoValuesInLists);
    Ok(render::page(state, &found, &window, |(group, key)| {
        render::secret(state, group, key, with_value)
    }))
}

fn missing(state: &State, fqns: &[String], found: &[(&Group, &Key)]) -> Result<(), Response> {
    let known: Vec<String> =
        found.iter().map(|(group, key)| render::secret_fqn(state, group, key)).collect();
    if fqns.iter().all(|fqn| known.contains(fqn)) {
        return Ok(());
    }
    Err(Response::error(404, "Secret not found"))
}

fn optional<'a, T>(
    body: &'a Map<String, Value>,
    name: &str,
    read: impl Fn(&'a Value) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, Response> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            read(value).map(Some).ok_or_else(|| bad_request(format!("{name} must be {expected}")))
        }
    }
}

pub(super) fn get(state: &State, id: &str) -> Reply {
    let (group, key) = state.secret(id)?;
    Ok(render::data(render::secret(state, group, key, !state.has(Quirk::ValuesHidden))))
}

pub(super) fn versions(state: &State, id: &str) -> Reply {
    let (group, key) = state.secret(id)?;
    let with_value = !state.has(Quirk::ValuesHidden);
    let versions: Vec<Value> = key
        .versions
        .iter()
        .map(|version| render::version(state, group, key, version, with_value))
        .collect();
    Ok(render::data(versions.into()))
}

pub(super) fn delete(state: &mut State, call: &Call, id: &str) -> Reply {
    let forced = call.flag("forceDelete")?;
    let (group, key) = state.secret(id)?;
    let (group_id, name) = (group.id.clone(), key.name.clone());
    state.store_works(forced)?;
    state.remove_keys(&group_id, &[name]);
    Ok(Response::json(200, &json!(1)))
}
