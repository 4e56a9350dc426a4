//! JSON that can hold what a parsed tree cannot: a key twice, numbers of any size, escapes as written.

use proptest::prelude::*;

pub(super) const CANARY: &str = "c4nary-value-nobody-may-see";

#[derive(Clone, Debug)]
pub(super) enum Json {
    /// As written in the text: a number, a string with its quotes, a word.
    Plain(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str::<serde_json::Value>(text).map(Self::from).unwrap()
    }

    pub(super) fn render(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::render).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(fields) => {
                let pairs = fields.iter().map(|(key, value)| {
                    // One that begins with a quote is written as it is, escapes included.
                    let key = if key.starts_with('"') { key.clone() } else { format!("\"{key}\"") };
                    format!("{key}: {}", value.render())
                });
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(",\n"))
            }
        }
    }

    /// Gives every object within, and itself, some fields that no model has.
    pub(super) fn add_unknown_fields(&mut self) {
        match self {
            Self::Plain(_) => {}
            Self::List(items) => items.iter_mut().for_each(Self::add_unknown_fields),
            Self::Object(fields) => {
                for (_, value) in fields.iter_mut() {
                    value.add_unknown_fields();
                }
                let unknown = [
                    format!("\"{CANARY}\""),
                    format!("\"\\n{CANARY}\\u00e9é\""),
                    format!("[1, {{\"{CANARY}\": [\"{CANARY}\"]}}]"),
                    format!("{{\"auth_data\": {{\"client_secret\": \"{CANARY}\"}}}}"),
                ];
                for (index, value) in unknown.into_iter().enumerate() {
                    fields.insert(index, (format!("unknown-{index}"), Self::Plain(value)));
                }
            }
        }
    }

    /// Puts `value` at the path, `a/0/b`.
    pub(super) fn set(&mut self, path: &str, value: Self) {
        let (first, rest) =
            path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let place = match self {
            Self::Plain(text) => panic!("{path} is within {text}"),
            Self::List(items) => &mut items[first.parse::<usize>().unwrap()],
            Self::Object(fields) => {
                let at = fields.iter().position(|(key, _)| key == first);
                let at = at.unwrap_or_else(|| {
                    fields.push((first.to_owned(), Self::Plain("null".to_owned())));
                    fields.len() - 1
                });
                &mut fields[at].1
            }
        };
        match rest {
            Some(rest) => place.set(rest, value),
            None => *place = value,
        }
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Plain(_) => 0,
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Object(fields) => fields.iter().map(|(_, value)| value.count()).sum(),
        }
    }

    /// The n-th of all, in the order of the text.
    fn nth(&mut self, n: usize) -> Option<&mut Self> {
        let mut left = n;
        self.find(&mut left)
    }

    fn find(&mut self, left: &mut usize) -> Option<&mut Self> {
        if *left == 0 {
            return Some(self);
        }
        *left -= 1;
        match self {
            Self::Plain(_) => None,
            Self::List(items) => items.iter_mut().find_map(|item| item.find(left)),
            Self::Object(fields) => fields.iter_mut().find_map(|(_, value)| value.find(left)),
        }
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.into_iter().map(|(key, value)| (key, value.into())).collect())
            }
            other => Self::Plain(other.to_string()),
        }
    }
}

/// One change at some place.
#[derive(Clone, Debug)]
pub(super) struct Change {
    place: prop::sample::Index,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Something else in its place.
    Become(String),
    Nest(usize, bool),
    /// The object or list loses one, or gets one twice.
    Drop(prop::sample::Index),
    Twice(prop::sample::Index),
    /// A key and its string are written in escapes.
    Escape(prop::sample::Index),
    /// A field that is not expected there.
    Add(&'static str, String),
}

impl Change {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        const KEYS: [&str; 9] =
            ["value", "id", "data", "fqn", "name", "pagination", "manifest", "unknown", ""];
        let odd = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("{}".to_owned()),
            Just("[]".to_owned()),
            Just("\"\"".to_owned()),
            Just("1e400".to_owned()),
            Just("-0".to_owned()),
            Just("18446744073709551616".to_owned()),
            Just("9".repeat(400)),
            Just(r#""\ud800""#.to_owned()),
            Just(r#""\u0000\ud83d\ude00\/""#.to_owned()),
            Just(format!("\"{CANARY}\"")),
            Just(format!("{{\"value\":\"{CANARY}\"}}")),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ];
        let what = prop_oneof![
            odd.clone().prop_map(What::Become),
            (0_usize..200, any::<bool>()).prop_map(|(depth, list)| What::Nest(depth, list)),
            any::<prop::sample::Index>().prop_map(What::Drop),
            any::<prop::sample::Index>().prop_map(What::Twice),
            any::<prop::sample::Index>().prop_map(What::Escape),
            (prop::sample::select(&KEYS[..]), odd).prop_map(|(key, value)| What::Add(key, value)),
            Just(What::Add("value", format!("\"{CANARY}\""))),
        ];
        (any::<prop::sample::Index>(), what).prop_map(|(place, what)| Self { place, what })
    }

    pub(super) fn apply(self, root: &mut Json) {
        let place = self.place.index(root.count());
        let Some(target) = root.nth(place) else { return };
        match (self.what, target) {
            (What::Become(text), target) => *target = Json::Plain(unless_shown(text)),
            (What::Nest(depth, list), target) => {
                for _ in 0..depth {
                    let inner = std::mem::replace(target, Json::List(Vec::new()));
                    *target = if list {
                        Json::List(vec![inner])
                    } else {
                        Json::Object(vec![("a".into(), inner)])
                    };
                }
            }
            (What::Drop(at), Json::List(items)) if !items.is_empty() => {
                items.remove(at.index(items.len()));
            }
            (What::Drop(at), Json::Object(fields)) if !fields.is_empty() => {
                fields.remove(at.index(fields.len()));
            }
            (What::Twice(at), Json::List(items)) if !items.is_empty() => {
                items.push(items[at.index(items.len())].clone());
            }
            (What::Twice(at), Json::Object(fields)) if !fields.is_empty() => {
                fields.push(fields[at.index(fields.len())].clone());
            }
            (What::Escape(at), Json::Object(fields)) if !fields.is_empty() => {
                let at = at.index(fields.len());
                let (key, value) = &mut fields[at];
                if !key.starts_with('"') {
                    *key = escaped(key);
                }
                if let Json::Plain(text) = value
                    && let Ok(inner) = serde_json::from_str::<String>(text)
                {
                    *text = escaped(&inner);
                }
            }
            (What::Add(key, text), Json::Object(fields)) => {
                let text = if key == "value" { text } else { unless_shown(text) };
                fields.push((key.into(), Json::Plain(text)));
            }
            _ => {}
        }
    }
}

/// The canary in the place of a name is a name, and names are shown.
fn unless_shown(text: String) -> String {
    if text.starts_with('"') && text.contains(CANARY) { "\"a-name\"".to_owned() } else { text }
}

fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}
