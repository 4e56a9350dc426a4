//! The objects as they appear on the wire.

use serde_json::{Map, Value, json};

use super::clock::render;
use super::entities::{Group, Key, Version};
use super::parsed_request::Window;
use super::response::Response;
use super::state::{Quirk, State};

pub(super) const ACCOUNT: &str = "acc-fake-1";
const USER: &str = "ada@example.com";

pub(super) fn subject() -> Value {
    json!({
        "subjectId": "usr-fake-1",
        "subjectType": "user",
        "subjectSlug": USER,
        "subjectDisplayName": "Ada",
    })
}

pub(super) fn group(state: &State, group: &Group) -> Value {
    let limit = state.associated_limit.unwrap_or(usize::MAX);
    let mut body = json!({
        "id": group.id,
        "fqn": state.fqn(group),
        "tenantName": state.tenant_of(group.tenant.as_ref()),
        "createdBy": USER,
        "integrationId": group.store_id,
        "accountId": ACCOUNT,
        "createdAt": render(group.created),
        "updatedAt": render(group.updated),
    });
    insert(&mut body, "createdBySubject", subject());
    insert(&mut body, "manifest", manifest(state, group));
    if state.associated_limit != Some(0) {
        let secrets: Vec<Value> =
            group.keys.iter().take(limit).map(|key| secret(state, group, key, false)).collect();
        insert(&mut body, "associatedSecrets", secrets.into());
    }
    body
}

fn manifest(state: &State, group: &Group) -> Value {
    let mut manifest = json!({
        "type": "secret-group",
        "name": group.name,
        "integration_fqn": state.store_of(group).map(|store| super::stores::fqn(state, store)),
        "collaborators": group.collaborators,
    });
    if let Some(owner) = &group.owned_by {
        insert(&mut manifest, "ownedBy", owner.clone());
    }
    manifest
}

pub(super) fn secret(state: &State, group: &Group, key: &Key, with_value: bool) -> Value {
    let versions: Vec<Value> =
        key.versions.iter().map(|entry| version(state, group, key, entry, false)).collect();
    let mut body = json!({
        "id": key.id,
        "fqn": secret_fqn(state, group, key),
        "name": key.name,
        "secretGroupId": group.id,
        "createdBy": USER,
        "createdAt": render(key.created),
        "updatedAt": render(key.updated),
        "activeDeploymentsCount": 0,
    });
    insert(&mut body, "createdBySubject", subject());
    insert(&mut body, "secretVersions", versions.into());
    if let Some(current) = key.current().filter(|_| with_value) {
        insert(&mut body, "value", current.value.clone().into());
    }
    body
}

pub(super) fn version(
    state: &State,
    group: &Group,
    key: &Key,
    version: &Version,
    with_value: bool,
) -> Value {
    let number: Value = if state.has(Quirk::FractionalVersions) {
        f64::from(version.number).into()
    } else {
        version.number.into()
    };
    let mut body = json!({
        "id": version.id,
        "fqn": format!("{}:{}", secret_fqn(state, group, key), version.number),
        "version": number,
        "secretId": key.id,
        "createdAt": render(version.created),
        "updatedAt": render(version.created),
    });
    if with_value {
        insert(&mut body, "value", version.value.clone().into());
    }
    body
}

pub(super) fn secret_fqn(state: &State, group: &Group, key: &Key) -> String {
    format!("{}:{}", state.fqn(group), key.name)
}

/// Only the named fields, and `id` always.
pub(super) fn only(body: Value, attributes: &[String]) -> Value {
    match body {
        Value::Object(members) if !attributes.is_empty() => members
            .into_iter()
            .filter(|(name, _)| name == "id" || attributes.contains(name))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// One page of what was found, rendered only for the entries on it.
pub(super) fn page<T>(
    state: &State,
    found: &[T],
    window: &Window,
    entry: impl Fn(&T) -> Value,
) -> Response {
    let limit = window.limit.min(state.page_limit.unwrap_or(usize::MAX));
    let data: Vec<Value> = found.iter().skip(window.offset).take(limit).map(entry).collect();
    let mut body = json!({});
    insert(&mut body, "data", data.into());
    if !state.has(Quirk::NoPagination) {
        let pagination = json!({ "total": found.len(), "offset": window.offset, "limit": limit });
        insert(&mut body, "pagination", pagination);
    }
    Response::json(200, &body)
}

pub(super) fn data(data: Value) -> Response {
    let mut body = json!({});
    insert(&mut body, "data", data);
    Response::json(200, &body)
}

/// `json!` copies what it is given, member by member.
pub(super) fn insert(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = body {
        members.insert(name.to_owned(), value);
    }
}
