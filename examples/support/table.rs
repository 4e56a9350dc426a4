//! Tables, and what values look like in them.

use comfy_table::{Table, presets};
use truefoundry_secrets::SecretValue;

use super::shown;

/// Reads well on a terminal, and is a table if pasted into Markdown.
pub(crate) fn table(
    header: &[&str],
    rows: impl IntoIterator<Item = impl IntoIterator<Item = String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in rows {
        table.add_row(row.into_iter().map(|cell| shown(&cell)));
    }
    table.to_string()
}

/// A value as it may be seen: the first four characters of a long one, else `(set)`.
pub(crate) fn masked(value: Option<&SecretValue>) -> String {
    value.map_or_else(|| "(not shown by the control plane)".to_owned(), SecretValue::preview)
}
