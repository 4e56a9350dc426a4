//! Prints the snapshot of the public API, from rustdoc's JSON for the crate: once as its users see
//! it, once with private items.

mod holders;
mod listing;

use std::error::Error;
use std::fs;

use rustdoc_types::{Crate, FORMAT_VERSION};

const ABOUT: &str = "\
# The public API with all features. `.ci/run` fails where this is not what the code says;
# `.ci/public_api/write tests/public-api.txt` writes it anew. A line that goes or changes breaks users.";

const ABOUT_HOLDERS: &str = "\
# Types that can hold a value or the API key, in private fields too, and all that may hold anything.
# tests/redaction has to print each of them.";

const ABOUT_LISTING: &str = "\
# All items, without automatic and blanket implementations. What a trait prescribes is not repeated.";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [public, private] = arguments.as_slice() else {
        return Err("usage: public-api-snapshot PUBLIC.json PRIVATE.json".into());
    };
    println!("{ABOUT}\n\n{ABOUT_HOLDERS}");
    for name in holders::names(&read(private)?) {
        println!("holds a secret: {name}");
    }
    println!("\n{ABOUT_LISTING}");
    for item in listing::items(public, &read(public)?)? {
        println!("{item}");
    }
    Ok(())
}

fn read(path: &str) -> Result<Crate, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let version = &json["format_version"];
    if version != FORMAT_VERSION {
        return Err(format!(
            "this toolchain's rustdoc writes version {version} of its format and this tool reads \
             {FORMAT_VERSION}: use Rust 1.95, or let `public-api` and `rustdoc-types` in \
             .ci/public_api/Cargo.toml follow"
        )
        .into());
    }
    Ok(serde_json::from_value(json)?)
}
