//! PUT `/secret-groups`: create or change a group by its manifest. It carries no values.

use serde_json::{Map, Value};

use super::entities::Group;
use super::groups::{no_store, replace, text};
use super::parsed_request::{Call, bad_request};
use super::response::Response;
use super::state::{State, forbidden};
use super::{render, stores};

pub(super) fn apply(state: &mut State, call: &Call) -> Result<Response, Response> {
    let body = call.json()?;
    let dry_run = match body.get("dryRun") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => return Err(bad_request("dryRun must be a boolean value".to_owned())),
    };
    let Some(Value::Object(manifest)) = body.get("manifest") else {
        return Err(Response::error(422, "manifest must be an object"));
    };
    if manifest.get("type").and_then(Value::as_str) != Some("secret-group") {
        return Err(Response::error(422, "manifest.type must be secret-group"));
    }
    let name = text(manifest, "name")?;
    let store_id = store_id(state, manifest)?;
    let collaborators = collaborators(manifest)?;

    let existing = state.own_group(&name).cloned();
    let is_new = existing.is_none();
    let mut group = match existing {
        None => state.new_group(&name, Some(store_id)),
        Some(group) if !state.visible(&group) => return Err(forbidden()),
        Some(group) if group.store_id.as_ref() != Some(&store_id) => {
            return Err(bad_request(
                "integration_fqn of a secret group cannot be changed".to_owned(),
            ));
        }
        Some(group) => group,
    };
    if let Some(collaborators) = collaborators {
        group.collaborators = collaborators;
    }
    if let Some(owner) = manifest.get("ownedBy").filter(|owner| !owner.is_null()) {
        group.owned_by = Some(owner.clone());
    }
    if dry_run {
        return Ok(render::data(preview(state, &group, is_new)));
    }
    state.store_works(false)?;
    group.updated = state.clock.tick();
    let response = render::data(render::group(state, &group));
    if is_new {
        state.groups.push(group);
    } else {
        replace(state, group);
    }
    Ok(response)
}

/// A group that was not created has no identifier to return.
fn preview(state: &State, group: &Group, is_new: bool) -> Value {
    let mut body = render::group(state, group);
    if let Value::Object(members) = &mut body
        && is_new
    {
        members.remove("id");
    }
    body
}

fn store_id(state: &State, manifest: &Map<String, Value>) -> Result<String, Response> {
    if state.stores.is_empty() {
        return Err(no_store());
    }
    let fqn = text(manifest, "integration_fqn")?;
    state
        .stores
        .iter()
        .find(|store| stores::fqn(state, store) == fqn)
        .map(|store| store.id.clone())
        .ok_or_else(|| Response::error(404, "Integration not found"))
}

fn collaborators(manifest: &Map<String, Value>) -> Result<Option<Value>, Response> {
    let complete = |entry: &Value| {
        ["subject", "role_id"].iter().all(|name| entry.get(name).is_some_and(Value::is_string))
    };
    match manifest.get("collaborators") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.iter().all(complete) => {
            Ok(Some(Value::Array(list.clone())))
        }
        Some(_) => Err(Response::error(422, "Each collaborator needs a subject and a role_id")),
    }
}
