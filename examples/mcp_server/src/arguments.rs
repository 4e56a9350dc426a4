//! The tools' arguments, and how they are read: no error repeats what was sent, since it may be a value.

use std::borrow::Cow;

use rmcp::ErrorData;
use rmcp::handler::server::common::FromContextPart;
use rmcp::handler::server::tool::ToolCallContext;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListSecrets {
    /// The identifier of a group, for its keys.
    #[serde(default)]
    pub(crate) secret_group_id: Option<String>,
    /// The identifier of one secret.
    #[serde(default)]
    pub(crate) secret_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// The group's identifier.
    pub(crate) id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    /// The secret's identifier.
    pub(crate) id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// Any text with `tfy-secret://` references: a manifest, Helm values, an env file. Without values.
    pub(crate) text: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    pub(crate) payload: NewGroup,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    /// The name of the new group.
    pub(crate) name: String,
    /// The identifier of a secret store (`tfy_secret_stores_list`). It can be left out if only one
    /// store is connected.
    #[serde(default, rename = "integrationId", alias = "integration_id")]
    pub(crate) integration_id: Option<String>,
    /// Its keys.
    pub(crate) secrets: Vec<FromEnv>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// The group's identifier.
    pub(crate) id: String,
    pub(crate) payload: FullList,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FullList {
    /// ALL keys that the group should have. A key that is left out is deleted with all its versions.
    pub(crate) secrets: Vec<Listed>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listed {
    pub(crate) key: String,
    /// The environment variable of this server that holds the new value. Without it the key keeps its value.
    #[serde(default)]
    pub(crate) from_env: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// The group's identifier.
    pub(crate) id: String,
    pub(crate) payload: Edits,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edits {
    /// Keys to add or to give a new value.
    #[serde(default)]
    pub(crate) set: Vec<FromEnv>,
    /// Keys to remove with all their versions.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FromEnv {
    pub(crate) key: String,
    /// The NAME of the environment variable of this server that holds the value, never the value.
    pub(crate) from_env: String,
}

/// Does what rmcp's wrapper of this name does, but its errors do not quote what was sent. The
/// macros find it by its name.
pub(crate) struct Parameters<T>(pub(crate) Result<T, Failure>);

impl<S, T: DeserializeOwned> FromContextPart<ToolCallContext<'_, S>> for Parameters<T> {
    fn from_context_part(context: &mut ToolCallContext<'_, S>) -> Result<Self, ErrorData> {
        Ok(Self(read(Value::Object(context.arguments.take().unwrap_or_default()))))
    }
}

impl<T: JsonSchema> JsonSchema for Parameters<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Failure> {
    if has_raw_value(&arguments) {
        return Err(Failure::raw_value());
    }
    // serde's own message quotes the text.
    serde_json::from_value(arguments).map_err(|_| Failure::arguments())
}

/// Whether an object anywhere within has a member `value`, as the API's own payload has.
fn has_raw_value(arguments: &Value) -> bool {
    match arguments {
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| name.eq_ignore_ascii_case("value") || has_raw_value(member)),
        Value::Array(items) => items.iter().any(has_raw_value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind<T: DeserializeOwned>(arguments: Value) -> &'static str {
        read::<T>(arguments).map_or_else(
            |failure| {
                assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
                failure.kind()
            },
            |_| "read",
        )
    }

    #[test]
    fn a_raw_value_is_refused_wherever_it_stands_and_not_repeated() {
        let raw = json!([{ "key": "K", "value": "hunter2" }]);
        let create = json!({ "payload": { "name": "n", "secrets": raw } });
        assert_eq!(kind::<Create>(create), "RawValueRefused");
        let update = json!({ "id": "g", "payload": { "secrets": raw } });
        assert_eq!(kind::<Update>(update), "RawValueRefused");
        let edit = json!({ "id": "g", "payload": { "set": [{ "key": "K", "Value": "hunter2" }] } });
        assert_eq!(kind::<Edit>(edit), "RawValueRefused");
        assert_eq!(kind::<Group>(json!({ "id": "g", "value": null })), "RawValueRefused");
    }

    #[test]
    fn what_does_not_fit_is_not_repeated() {
        let wrong = [
            json!({ "id": "g", "payload": "hunter2" }),
            json!({ "id": "g", "payload": { "set": [{ "key": "K", "from_env": ["hunter2"] }] } }),
            json!({ "id": "g", "payload": { "set": [{ "key": "K", "hunter2": 1, "from_env": "V" }] } }),
            json!({ "id": "g", "payload": { "hunter2": [] } }),
            json!({ "id": "g" }),
        ];
        for arguments in wrong {
            assert_eq!(kind::<Edit>(arguments), "InvalidArguments");
        }
    }

    #[test]
    fn what_the_document_writes_is_read() {
        let create = json!({ "payload": { "name": "n", "integrationId": "i", "secrets": [] } });
        assert_eq!(kind::<Create>(create), "read");
        assert_eq!(kind::<ListSecrets>(json!({})), "read");
        let keep = json!({ "id": "g", "payload": { "secrets": [{ "key": "K" }] } });
        assert_eq!(kind::<Update>(keep), "read");
        let add = json!({ "id": "g", "payload": { "set": [{ "key": "K", "from_env": "V" }] } });
        assert_eq!(kind::<Edit>(add), "read");
    }
}
