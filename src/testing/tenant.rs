//! `/tenant-id` and `/session`: whose control plane this is, and who asks.

use serde_json::json;

use super::parsed_request::{Call, bad_request};
use super::response::Response;
use super::state::State;

pub(super) fn tenant_id(state: &State, call: &Call) -> Result<Response, Response> {
    if call.param("hostName").is_none_or(|host| host.is_empty()) {
        return Err(bad_request("hostName must be a non-empty string".to_owned()));
    }
    let own = || {
        let host = call.header("host").unwrap_or_default();
        format!("http://{host}{}", state.prefix)
    };
    let body = json!({
        "tenantName": state.tenant,
        "auth_server_url": state.auth_server.clone().unwrap_or_else(own),
    });
    Ok(Response::json(200, &body))
}

pub(super) fn session(state: &State, user: &str) -> Response {
    let user = json!({
        "email": user,
        "tenantName": state.tenant,
        "subject": { "subjectSlug": user, "subjectType": "user" },
    });
    Response::json(200, &json!({ "user": user, "tenantInfo": { "tenantName": state.tenant } }))
}
