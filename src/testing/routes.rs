//! Which endpoint a request is for.

use http::Method;

use super::parsed_request::Call;
use super::response::Response;
use super::state::{Quirk, State};
use super::{groups, logins, manifest, secrets, stores, tenant};

#[derive(Clone, PartialEq, Eq)]
enum Route {
    Groups,
    Group(String),
    Secrets,
    Secret(String),
    Versions(String),
    Accounts,
    Integrations,
    TenantId,
    Session,
    MinCliVersion,
    OauthToken,
    OlderRefresh,
}

pub(super) fn handle(state: &mut State, api_key: &str, call: &Call) -> Response {
    respond(state, api_key, call).unwrap_or_else(|refusal| refusal)
}

fn respond(state: &mut State, api_key: &str, call: &Call) -> Result<Response, Response> {
    let route = route(call)?;
    let missing = match route {
        Route::TenantId => state.has(Quirk::NoTenantId),
        Route::Session => state.has(Quirk::NoSession),
        Route::OauthToken => state.has(Quirk::OlderLogin),
        Route::OlderRefresh => !state.has(Quirk::OlderLogin),
        _ => false,
    };
    if missing {
        return Err(unknown(call));
    }
    // What a login requests before it has a key, or when its key is not accepted.
    let needs_key = !matches!(
        route,
        Route::TenantId | Route::MinCliVersion | Route::OauthToken | Route::OlderRefresh
    );
    let user = user(state, api_key, call);
    if needs_key && user.is_none() {
        return Err(Response::error(401, "Unauthorized"));
    }
    match (route, call.method.as_str()) {
        (Route::Groups, "GET") => groups::list(state, call),
        (Route::Groups, "POST") => groups::create(state, call),
        (Route::Groups, "PUT") => manifest::apply(state, call),
        (Route::Group(id), "GET") => groups::get(state, &id),
        (Route::Group(id), "PUT") => groups::update(state, call, &id),
        (Route::Group(id), "DELETE") => groups::delete(state, call, &id),
        (Route::Secrets, "POST") => secrets::list(state, call),
        (Route::Secret(id), "GET") => secrets::get(state, &id),
        (Route::Secret(id), "DELETE") => secrets::delete(state, call, &id),
        (Route::Versions(id), "GET") => secrets::versions(state, &id),
        (Route::Accounts, "GET") => stores::accounts(state, call),
        (Route::Integrations, "GET") => stores::integrations(state, call),
        (Route::TenantId, "GET") => tenant::tenant_id(state, call),
        (Route::Session, "GET") => Ok(tenant::session(state, &user.unwrap_or_default())),
        (Route::MinCliVersion, "GET") => Ok(logins::min_cli_version(state)),
        (Route::OauthToken | Route::OlderRefresh, "POST") => logins::refresh(state, call),
        (route, _) => {
            Err(Response::error(405, "Method Not Allowed").header("allow", allowed(&route)))
        }
    }
}

fn route(call: &Call) -> Result<Route, Response> {
    if call.is_older_refresh {
        return Ok(Route::OlderRefresh);
    }
    if call.route.is_none() {
        return Err(unknown(call));
    }
    let segments = call.segments()?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    Ok(match segments.as_slice() {
        ["secret-groups"] => Route::Groups,
        ["secret-groups", id] => Route::Group((*id).to_owned()),
        ["secrets"] => Route::Secrets,
        ["secrets", id] => Route::Secret((*id).to_owned()),
        ["secrets", id, "versions"] => Route::Versions((*id).to_owned()),
        ["provider-accounts"] => Route::Accounts,
        ["provider-integrations"] => Route::Integrations,
        ["tenant-id"] => Route::TenantId,
        ["session"] => Route::Session,
        ["min-cli-version"] => Route::MinCliVersion,
        ["oauth2", "token"] => Route::OauthToken,
        _ => return Err(unknown(call)),
    })
}

fn unknown(call: &Call) -> Response {
    Response::error(404, format!("Cannot {} {}", call.method, call.path))
}

/// Whose key or token the request carries, if it is one that is accepted.
fn user(state: &State, api_key: &str, call: &Call) -> Option<String> {
    let (scheme, key) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let key = key.trim();
    let user = if key == api_key { Some(logins::USER) } else { state.logins.user_of(key) };
    user.map(str::to_owned)
}

fn allowed(route: &Route) -> &'static str {
    match route {
        Route::Groups => "GET, POST, PUT",
        Route::Group(_) => "GET, PUT, DELETE",
        Route::Secrets | Route::OauthToken | Route::OlderRefresh => "POST",
        Route::Secret(_) => "GET, DELETE",
        Route::Versions(_)
        | Route::Accounts
        | Route::Integrations
        | Route::TenantId
        | Route::Session
        | Route::MinCliVersion => "GET",
    }
}

/// The operation's name, such as `secret_groups.update`, as records and patterns use it.
pub(super) fn operation(call: &Call) -> Option<&'static str> {
    let route = route(call).ok()?;
    Some(match (route, &call.method) {
        (Route::Groups, &Method::GET) => "secret_groups.list",
        (Route::Groups, &Method::POST) => "secret_groups.create",
        (Route::Groups, &Method::PUT) => "secret_groups.create_or_update",
        (Route::Group(_), &Method::GET) => "secret_groups.get",
        (Route::Group(_), &Method::PUT) => "secret_groups.update",
        (Route::Group(_), &Method::DELETE) => "secret_groups.delete",
        (Route::Secrets, &Method::POST) => "secrets.list",
        (Route::Secret(_), &Method::GET) => "secrets.get",
        (Route::Secret(_), &Method::DELETE) => "secrets.delete",
        (Route::Versions(_), &Method::GET) => "secrets.versions",
        (Route::Accounts, &Method::GET) => "provider_accounts.list",
        (Route::Integrations, &Method::GET) => "provider_integrations.list",
        (Route::TenantId, &Method::GET) => "tenant_id.get",
        (Route::Session, &Method::GET) => "session.get",
        (Route::MinCliVersion, &Method::GET) => "min_cli_version.get",
        (Route::OauthToken, &Method::POST) => "oauth2.token",
        (Route::OlderRefresh, &Method::POST) => "oauth.refresh",
        _ => return None,
    })
}
