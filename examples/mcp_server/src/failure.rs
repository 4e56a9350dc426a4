//! A tool's failure: one line, the next step, and the same as data.

use rmcp::ErrorData;
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode};
use serde_json::{Map, Value, json};
use truefoundry_secrets::{Error, RecoveryOption, SoftDeleteState, SoftDeleted};

#[derive(Debug)]
pub(crate) struct Failure {
    kind: &'static str,
    message: String,
    hint: String,
    /// The fields of this kind.
    data: Map<String, Value>,
    /// The protocol's own error, if it has one for this kind.
    code: Option<ErrorCode>,
}

impl Failure {
    fn new(kind: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), data: Map::new(), code: None }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn raw_value() -> Self {
        Self::new(
            "RawValueRefused",
            "a raw secret value is not accepted",
            "Never put a secret's value into a chat or a tool call. Ask the user to set it as an environment \
             variable of this server, then send that variable's name: {\"key\": \"DB_PASSWORD\", \"from_env\": \
             \"DB_PASSWORD\"}. A value that was sent here has been seen: tell the user to replace it.",
        )
    }

    pub(crate) fn arguments() -> Self {
        Self::new(
            "InvalidArguments",
            "the arguments do not match the tool's input schema",
            "Compare them with the schema: names, types (`payload` is an object) and no further members. Values are \
             never accepted; name an environment variable of this server in `from_env`. (The arguments are not \
             repeated here, in case a value is among them.)",
        )
    }

    pub(crate) fn input(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new("InvalidInput", message, hint)
    }

    pub(crate) fn empty_group() -> Self {
        Self::new(
            "EmptyGroup",
            "a secret group cannot be left without secrets",
            "Include at least one secret, or delete the group with tfy_secret_groups_delete.",
        )
    }

    pub(crate) fn variable_not_allowed(key: &str, allowed: &str) -> Self {
        Self::new(
            "VariableNotAllowed",
            format!("`from_env` of {key:?} names no environment variable that this server may use"),
            format!(
                "It may use: {allowed}. The user chooses them with --allow-env, where the server is configured. \
                 (The name is not repeated here, in case it is a value.)"
            ),
        )
        .with("key", key)
    }

    pub(crate) fn variable_reserved(key: &str) -> Self {
        Self::new(
            "VariableReserved",
            format!("`from_env` of {key:?} names a setting of this server or of the system"),
            "Those are never written into a secret group. Ask the user for a variable of its own.",
        )
        .with("key", key)
    }

    /// Not set, empty, or no text: the error names the variable.
    pub(crate) fn variable_unusable(key: &str, error: &Error) -> Self {
        Self::new(
            "VariableUnusable",
            error.to_string(),
            "Ask the user to set it where this server is configured, and to restart the server. Never ask for \
             the value.",
        )
        .with("key", key)
    }

    pub(crate) fn declined() -> Self {
        Self::new(
            "NotApproved",
            "the user did not approve; nothing was written",
            "Ask the user what should be different. Do not call again with the same arguments unasked.",
        )
    }

    pub(crate) fn no_answer(why: &str) -> Self {
        Self::new(
            "NotApproved",
            format!("{why}; nothing was written"),
            "Call the tool again when the user can answer.",
        )
    }

    /// From 2026-07-28 the protocol has an error of its own for this.
    pub(crate) fn cannot_ask(has_error: bool) -> Self {
        let mut failure = Self::new(
            "ApprovalUnavailable",
            "this change needs the user's approval, and the client program cannot ask for it; nothing was written",
            "The client has to support form elicitation. The user can make the change with the examples of \
             truefoundry-secrets on a terminal, such as update_group.",
        );
        if has_error {
            failure.code = Some(ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY);
            return failure.with("requiredCapabilities", json!({ "elicitation": { "form": {} } }));
        }
        failure
    }

    pub(crate) fn several_stores(table: &str) -> Self {
        Self::input(
            "several secret stores are connected",
            format!("Choose one with payload.integrationId:\n\n{table}"),
        )
    }

    fn text(&self) -> String {
        format!("error: {}\nhint: {}", self.message, self.hint)
    }

    fn structured(self) -> Value {
        let Self { kind, message, hint, mut data, code: _ } = self;
        data.insert("kind".to_owned(), kind.into());
        data.insert("message".to_owned(), message.into());
        data.insert("hint".to_owned(), hint.into());
        json!({ "error": data })
    }
}

impl IntoCallToolResult for Failure {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        if let Some(code) = self.code {
            let message = format!("{} (hint: {})", self.message, self.hint);
            return Err(ErrorData::new(code, message, Some(Value::Object(self.data))));
        }
        let text = self.text();
        let mut result = CallToolResult::structured_error(self.structured());
        result.content = vec![ContentBlock::text(text)];
        Ok(result.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, data) = typed(&error);
        let mut failure = Self::new(kind, error.to_string(), error.hint());
        if let Value::Object(data) = data {
            failure.data = data;
        }
        failure = failure
            .with("retryable", error.is_retryable())
            .with("may_have_been_applied", error.may_have_been_applied());
        if let Some(status) = error.status() {
            failure = failure.with("status", status);
        }
        if let Some(id) = error.request_id() {
            failure = failure.with("request_id", id);
        }
        failure
    }
}

/// The error's kind, and the parts that a program can use.
fn typed(error: &Error) -> (&'static str, Value) {
    let nothing = Value::Null;
    match error {
        Error::Config { setting, .. } => ("Config", json!({ "setting": setting })),
        Error::InvalidInput { what, .. } => ("InvalidInput", json!({ "what": what })),
        Error::Unauthorized { .. } => ("Unauthorized", nothing),
        Error::PermissionDenied { .. } => ("PermissionDenied", nothing),
        Error::NotFound { resource, id, .. } => {
            ("NotFound", json!({ "resource": resource.to_string(), "id": id }))
        }
        Error::AlreadyExists { name, .. } => ("AlreadyExists", json!({ "name": name })),
        Error::Conflict { .. } => ("Conflict", nothing),
        Error::SoftDeleted { details, .. } => ("SoftDeleted", soft_deleted(details)),
        Error::KeyNotSupported { key, store, suggestion, .. } => {
            let store = store.as_ref().map(ToString::to_string);
            ("KeyNotSupported", json!({ "key": key, "store": store, "suggestion": suggestion }))
        }
        Error::EmptyGroup { .. } => ("EmptyGroup", nothing),
        Error::NoSecretStore { .. } => ("NoSecretStore", nothing),
        Error::MissingFields { keys, .. } => ("MissingFields", json!({ "keys": keys })),
        Error::InvalidRequest { problems, .. } => {
            ("InvalidRequest", json!({ "problems": problems }))
        }
        Error::StoreFailed { .. } => ("StoreFailed", nothing),
        Error::RateLimited { retry_after, .. } => {
            let seconds = retry_after.map(|wait| wait.as_secs_f64().ceil());
            ("RateLimited", json!({ "retry_after_seconds": seconds }))
        }
        Error::Service { .. } => ("Service", nothing),
        Error::Timeout { .. } => ("Timeout", nothing),
        Error::Connect { .. } => ("Connect", nothing),
        Error::Transport { .. } => ("Transport", nothing),
        Error::ConcurrentEdit { added, removed, modified, applied, .. } => (
            "ConcurrentEdit",
            json!({ "added": added, "removed": removed, "modified": modified, "applied": applied }),
        ),
        Error::PartiallyApplied { done, failed, not_tried, source, .. } => {
            let (kind, _) = typed(source);
            let cause = json!({ "kind": kind, "message": source.to_string() });
            let data =
                json!({ "done": done, "failed": failed, "not_tried": not_tried, "cause": cause });
            ("PartiallyApplied", data)
        }
        Error::UnexpectedStatus { .. } => ("UnexpectedStatus", nothing),
        Error::Decode { .. } => ("Decode", nothing),
        Error::ResponseTooLarge { .. } => ("ResponseTooLarge", nothing),
        Error::UnexpectedRedirect { .. } => ("UnexpectedRedirect", nothing),
        _ => ("Other", nothing),
    }
}

fn soft_deleted(details: &SoftDeleted) -> Value {
    let state = match details.state() {
        SoftDeleteState::BeingDeleted => "being_deleted",
        SoftDeleteState::BeingRecovered => "being_recovered",
        _ => "deleted",
    };
    let options: Vec<_> = details.recovery_options().iter().map(recovery_option).collect();
    json!({
        "name": details.name(),
        "store": details.store().map(ToString::to_string),
        "state": state,
        "retention_days": details.retention().map(|time| time.as_secs() / 86_400),
        "recovery_options": options,
    })
}

fn recovery_option(option: &RecoveryOption) -> Value {
    let text = option.to_string();
    match option {
        RecoveryOption::UseAnotherName => json!({ "way": "use_another_name", "text": text }),
        RecoveryOption::PurgeInPortal => json!({ "way": "purge_in_portal", "text": text }),
        RecoveryOption::PurgeWithCli { command, .. } => {
            json!({ "way": "purge_with_cli", "command": command, "text": text })
        }
        RecoveryOption::RetryLater => json!({ "way": "retry_later", "text": text }),
        RecoveryOption::Wait { at_most, .. } => {
            json!({ "way": "wait", "at_most_days": at_most.as_secs() / 86_400, "text": text })
        }
        _ => json!({ "way": "other", "text": text }),
    }
}

#[cfg(test)]
mod tests {
    use truefoundry_secrets::Operation;
    use truefoundry_secrets::testing::error_from_response;

    use super::*;

    #[test]
    fn a_soft_deleted_name_comes_with_its_ways_out() {
        let body = r#"{"statusCode":409,"message":"Secret app-DB is currently in a deleted but recoverable state, and its name cannot be reused","code":"ObjectIsDeletedButRecoverable"}"#;
        let error = error_from_response(Operation::CreateSecretGroup, 409, body);
        let failure = Failure::from(error);
        assert_eq!(failure.kind(), "SoftDeleted");
        let text = failure.text();
        let data = failure.structured();
        let options = data["error"]["recovery_options"].as_array().unwrap();
        let way = |name: &str| options.iter().find(|option| option["way"] == name).unwrap();
        let command = way("purge_with_cli")["command"].as_str().unwrap();
        assert!(text.contains(command), "{text}");
        assert_eq!(way("wait")["at_most_days"], 90);
        assert_eq!(
            (&data["error"]["status"], &data["error"]["state"]),
            (&json!(409), &json!("deleted"))
        );
        assert!(!data["error"]["hint"].as_str().unwrap().is_empty());
    }

    #[test]
    fn an_error_without_data_of_its_own_still_says_whether_to_retry() {
        let error = error_from_response(Operation::ListSecretGroups, 503, "{}");
        let data = Failure::from(error).structured();
        assert_eq!(
            (&data["error"]["kind"], &data["error"]["retryable"]),
            (&json!("Service"), &json!(true))
        );
    }
}
