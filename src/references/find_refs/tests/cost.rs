//! The cost of a search, counted in what it reads, at one length and at four times that length.

use crate::references::find_refs::{find_refs, steps};

#[test]
fn the_cost_of_hostile_text_is_linear() {
    let units = [
        // References, and text that is not one.
        "tfy",
        "tfy-secret://",
        "tfy-secret://t:g:k ",
        "tfy-secret://t ",
        "A: tfy-secret://t:g:k, x\n",
        "A: tfy-secret://x\n\n\n",
        "[tfy-secret://x\n\n",
        "A=tfy-secret://x",
        "export ",
        "tfy-secret:// ",
        "a: tfy-secret:// ",
        "tfy-secret://:...",
        "\"tfy-secret:// ",
        // Every quote, open and closed, in templates and around them.
        "'tfy-secret://x",
        "\"tfy-secret://x",
        "`tfy-secret://x",
        "'tfy-secret://x'",
        "\"tfy-secret://x\"",
        "{{'tfy-secret://x}}",
        "{{\"tfy-secret://x}}",
        "{{`tfy-secret://x}}",
        "${'tfy-secret://x}",
        "$('tfy-secret://x)",
        "{{'tfy-secret://x'}}",
        "{{tfy-secret://x}}",
        "{{ \"tfy-secret://x{{ \"",
        "'tfy-secret://{{ '}}",
        "''tfy-secret://x",
        "'''tfy-secret://x",
        "''tfy-secret://x''{{",
        "${'tfy-secret://x${y'}",
        "'tfy-secret://a \"tfy-secret://b `tfy-secret://c ",
        // Escaped quotes, and backslashes.
        r#"\"tfy-secret://x"#,
        r"\'tfy-secret://x",
        r#"{{\"tfy-secret://x}}"#,
        r#"\{{}}"tfy-secret://x"#,
        r#""tfy-secret://\""#,
        r"\\'tfy-secret://x",
        r"tfy\",
        r"\",
        r"\u002d",
        r"tfy-secret://\\",
        r"tfy-secret:\/\/x ",
        // Openers.
        "tfy-secret://{{ ",
        "tfy-secret://${${$(",
        "{{",
        "${",
        "{",
        "[",
        "]",
        "<",
        "tfy-secret://a:<b",
        // One character.
        ":",
        ".",
        "\n",
        " ",
        "-",
        "- ",
        "#",
        ",",
        "a: ",
        "\u{a0}",
        "é",
    ];
    let starts =
        ["", "tfy-secret://", "A: tfy-secret://", "A: \"tfy-secret://", "A: 'tfy-secret://"];
    for unit in units {
        for start in starts {
            for end in ["", "\"", "\n x"] {
                let cost = |length: usize| {
                    let text = format!("{start}{}{end}", unit.repeat(length / unit.len()));
                    steps::taken_by(|| assert!(find_refs(&text).count() <= text.len()))
                };
                let (small, large) = (cost(700), cost(2_800));
                assert!(large <= 5 * small, "{start}({unit})*{end}: {small}, then {large} steps");
            }
        }
    }
}
