//! `/tenant-id` and `/session`: whose control plane this is, and who asks.

use serde_json::json;

use super::parsed_request::{Call, bad_request};
use super::response::Response;
use super::state::State;

pub(super) fn tenant_id(state: &State, call: &Call) -> Result<Response, Response> {
    if call.param("hostName").is_none_or(|host| host.is_empty()) {
        return Err(bad_request("hostName must be a non-empty string".to_owned()));
    }
    let body = json!({
        "tenantName": state.tenant,
        "auth_server_url": "https://login.example.com",
    });
    Ok(Response::json(200, &body))
}

pub(super) fn session(state: &State) -> Response {
    let user = json!({
        "email": "ada@example.com",
        "tenantName": state.tenant,
        "subject": { "subjectSlug": "ada@example.com", "subjectType": "user" },
    });
    Response::json(200, &json!({ "user": user, "tenantInfo": { "tenantName": state.tenant } }))
}
