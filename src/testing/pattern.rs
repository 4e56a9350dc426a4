//! Which requests a fault, a gate or a hook is for.

use super::parsed_request::Call;
use super::routes;

#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Any,
    Operation(String),
    Route { method: String, path: Option<String> },
}

impl Pattern {
    /// `PUT /secret-groups/`, `GET`, `secret_groups.update`, or nothing for every request.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.split_once(' ') {
            None if text.is_empty() || text == "*" => Self::Any,
            None if text.contains('.') => Self::Operation(text.to_owned()),
            None => Self::Route { method: text.to_ascii_uppercase(), path: None },
            Some((method, path)) => Self::Route {
                method: method.to_ascii_uppercase(),
                path: Some(path.trim().to_owned()),
            },
        }
    }

    pub(super) fn matches(&self, call: &Call) -> bool {
        match self {
            Self::Any => true,
            Self::Operation(name) => routes::operation(call) == Some(name.as_str()),
            Self::Route { method, path } => {
                (method == "*" || method == call.method.as_str())
                    && path.as_ref().is_none_or(|path| {
                        call.route.as_deref().is_some_and(|route| path_matches(path, route))
                    })
            }
        }
    }
}

/// A pattern that ends in `/` is for everything below it, any other for exactly that path;
/// `*` stands for one segment.
fn path_matches(pattern: &str, route: &str) -> bool {
    let mut route = route.trim_matches('/').split('/');
    let below = pattern.ends_with('/');
    for expected in pattern.trim_matches('/').split('/') {
        match route.next() {
            Some(actual) if expected == "*" || expected == actual => {}
            _ => return false,
        }
    }
    route.next().is_some() == below
}

#[cfg(test)]
mod tests {
    use super::path_matches;

    #[test]
    fn a_trailing_slash_means_below_and_only_below() {
        assert!(path_matches("/secret-groups", "/secret-groups"));
        assert!(!path_matches("/secret-groups", "/secret-groups/a"));
        assert!(path_matches("/secret-groups/", "/secret-groups/a"));
        assert!(!path_matches("/secret-groups/", "/secret-groups"));
        assert!(!path_matches("/secrets/", "/secret-groups/a"));
    }

    #[test]
    fn a_star_is_one_segment() {
        assert!(path_matches("/secrets/*/versions", "/secrets/a/versions"));
        assert!(!path_matches("/secrets/*", "/secrets/a/versions"));
        assert!(path_matches("/secrets/*", "/secrets/a"));
    }
}
