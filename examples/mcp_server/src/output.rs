//! What tools return: a Markdown table for people and the same as data. Values are `(set)` or a preview.

use comfy_table::{Table, presets};
use rmcp::ErrorData;
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use truefoundry_secrets::{Secret, SecretGroup, SecretStore};

const SET: &str = "(set)";

#[derive(Serialize, JsonSchema)]
pub(crate) struct Listing {
    pub(crate) groups: Vec<GroupRow>,
    pub(crate) secrets: Vec<SecretRow>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct GroupRow {
    name: String,
    id: String,
    fqn: String,
    /// How many keys it has; `null` if the control plane does not say.
    secrets: Option<usize>,
    updated_at: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct SecretRow {
    key: String,
    id: String,
    /// `(set)`, or the first four characters and `***` of a longer one. Never the value.
    value: String,
    updated_at: Option<String>,
    /// How a deployment's manifest refers to it.
    reference: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct Stores {
    pub(crate) stores: Vec<StoreRow>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct StoreRow {
    name: Option<String>,
    /// The `integrationId` for `tfy_secret_groups_create`.
    id: String,
    kind: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct References {
    pub(crate) references: Vec<ReferenceRow>,
    pub(crate) malformed: Vec<MalformedRow>,
}

#[derive(Serialize, JsonSchema)]
pub(crate) struct ReferenceRow {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) reference: String,
    /// Whether the secret exists and this API key may see it.
    pub(crate) exists: bool,
}

/// Its text is left out: it may be a value.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MalformedRow {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) problem: String,
}

/// What a change did.
#[derive(Default, Serialize, JsonSchema)]
pub(crate) struct Changed {
    pub(crate) done: String,
    pub(crate) group: Option<String>,
    pub(crate) group_id: Option<String>,
    pub(crate) added: Vec<String>,
    /// Keys that were given a value, even if it is the same as before.
    pub(crate) rotated: Vec<String>,
    pub(crate) removed: Vec<String>,
    pub(crate) kept: Vec<String>,
    /// How a deployment's manifest refers to the keys that were added.
    pub(crate) references: Vec<String>,
}

/// A result: the same as text and as data.
pub(crate) struct Answer {
    text: String,
    data: Value,
}

impl Answer {
    fn new(text: String, data: &impl Serialize) -> Self {
        // These are names, numbers and texts.
        let data = serde_json::to_value(data).unwrap_or_default();
        Self { text, data }
    }

    pub(crate) fn into_response(self) -> CallToolResponse {
        let mut result = CallToolResult::structured(self.data);
        result.content = vec![ContentBlock::text(self.text)];
        result.into()
    }
}

impl IntoCallToolResult for Answer {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        Ok(self.into_response())
    }
}

impl From<Listing> for Answer {
    fn from(listing: Listing) -> Self {
        let mut tables = Vec::new();
        if !listing.groups.is_empty() || listing.secrets.is_empty() {
            let rows = listing.groups.iter().map(|group| {
                let count = group.secrets.map_or_else(|| "?".to_owned(), |all| all.to_string());
                [group.name.clone(), group.id.clone(), count]
            });
            tables.push(format!("Secret Groups:\n\n{}", table(&["Name", "ID", "Secrets"], rows)));
        }
        if !listing.secrets.is_empty() {
            let rows = listing
                .secrets
                .iter()
                .map(|secret| [secret.key.clone(), secret.id.clone(), secret.value.clone()]);
            tables.push(format!("Secrets:\n\n{}", table(&["Key", "ID", "Value"], rows)));
        }
        Self::new(tables.join("\n\n"), &listing)
    }
}

impl From<Stores> for Answer {
    fn from(stores: Stores) -> Self {
        Self::new(stores.table(), &stores)
    }
}

impl Stores {
    pub(crate) fn table(&self) -> String {
        let rows = self.stores.iter().map(|store| {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
            [text(&store.name), store.id.clone(), text(&store.kind)]
        });
        table(&["Name", "ID", "Kind"], rows)
    }
}

impl From<References> for Answer {
    fn from(found: References) -> Self {
        let place = |line: usize, column: usize| format!("{line}:{column}");
        let references = found.references.iter().map(|row| {
            let state = if row.exists { "exists" } else { "missing, or this key may not see it" };
            [place(row.line, row.column), row.reference.clone(), state.to_owned()]
        });
        let malformed = found.malformed.iter().map(|row| {
            [place(row.line, row.column), "(malformed)".to_owned(), row.problem.clone()]
        });
        let rows = references.chain(malformed);
        Self::new(table(&["Line:column", "Reference", "State"], rows), &found)
    }
}

impl From<Changed> for Answer {
    fn from(changed: Changed) -> Self {
        let rows = [
            (&changed.added, "added"),
            (&changed.rotated, "new value"),
            (&changed.removed, "removed"),
        ];
        let rows = rows
            .into_iter()
            .flat_map(|(keys, what)| keys.iter().map(move |key| [key.clone(), what.to_owned()]));
        let rows: Vec<_> = rows.collect();
        let mut text = changed.done.clone();
        if !rows.is_empty() {
            text = format!("{text}\n\n{}", table(&["Key", "Change"], rows));
        }
        Self::new(text, &changed)
    }
}

impl From<&SecretGroup> for GroupRow {
    fn from(group: &SecretGroup) -> Self {
        Self {
            name: name_of(group).to_owned(),
            id: group.id().to_string(),
            fqn: group.fqn().to_owned(),
            secrets: group.secrets().map(<[Secret]>::len),
            updated_at: group.updated_at().map(|time| time.to_string()),
        }
    }
}

impl From<&Secret> for SecretRow {
    fn from(secret: &Secret) -> Self {
        Self {
            key: secret.key().unwrap_or("?").to_owned(),
            id: secret.id().to_string(),
            value: secret
                .value()
                .map_or_else(|| SET.to_owned(), truefoundry_secrets::SecretValue::preview),
            updated_at: secret.updated_at().map(|time| time.to_string()),
            reference: secret.reference().ok().map(|reference| reference.to_string()),
        }
    }
}

impl From<&SecretStore> for StoreRow {
    fn from(store: &SecretStore) -> Self {
        Self {
            name: store.name().map(str::to_owned),
            id: store.id().to_string(),
            kind: store.kind().map(ToString::to_string),
        }
    }
}

pub(crate) fn name_of(group: &SecretGroup) -> &str {
    group.name().unwrap_or_else(|| group.id().as_str())
}

/// A name from elsewhere, escaped on one line: it must not break out of its cell or of its line in
/// a question.
pub(crate) fn shown(text: &str) -> String {
    let escaped = text.escape_debug().to_string();
    escaped.replace("\\\"", "\"").replace("\\'", "'")
}

fn table<const N: usize>(
    header: &[&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| shown(&cell).replace('|', "\\|")));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_within_its_cell() {
        let rows = [["a|b\nc\u{202e}".to_owned(), "d".to_owned()]];
        let table = table(&["Name", "ID"], rows);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(table.contains("a\\|b\\nc\\u{202e}"), "{table}");
    }

    #[test]
    fn no_group_at_all_is_an_empty_table() {
        let answer = Answer::from(Listing { groups: Vec::new(), secrets: Vec::new() });
        assert!(answer.text.contains("| Name | ID | Secrets |"), "{}", answer.text);
    }
}
