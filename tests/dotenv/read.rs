//! Prints one line of JSON per file: the list of names and values, or the text of the refusal.

use serde_json::json;
use truefoundry_secrets::SecretMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args_os().skip(1) {
        let text = std::fs::read_to_string(path)?;
        let read = match SecretMap::from_dotenv(&text) {
            Ok(map) => {
                let pairs = map.iter().map(|(name, value)| json!([name, value.expose_secret()]));
                pairs.collect()
            }
            Err(error) => json!(error.to_string()),
        };
        println!("{read}");
    }
    Ok(())
}
