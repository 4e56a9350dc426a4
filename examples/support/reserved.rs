//! Variables that are set in nearly every environment, for another purpose than a workload's secret.

const SETTING: &str = "a setting of this program";
const PROXY: &str = "the way to the network, for this program too";
const SHELL: &str = "set by the login or the shell";
const LOCALE: &str = "the language and time zone of the terminal";
const DESKTOP: &str = "set by the desktop or the terminal";
const SYSTEM: &str = "set by the operating system";
const LOADER: &str = "read by the system's loader";
const SSH: &str = "set by SSH";
const CARGO: &str = "set by cargo";

/// Names, or beginnings of names, with what the variables are.
const RESERVED: [(&str, &str); 56] = [
    ("TFY_API_KEY", "this program's own API key"),
    ("TFY_BASE_URL", SETTING),
    ("TFY_HOST", SETTING),
    ("TFY_API_HOST", SETTING),
    ("HTTP_PROXY", PROXY),
    ("HTTPS_PROXY", PROXY),
    ("ALL_PROXY", PROXY),
    ("NO_PROXY", PROXY),
    ("SSL_CERT_FILE", SETTING),
    ("SSL_CERT_DIR", SETTING),
    ("PATH", SHELL),
    ("HOME", SHELL),
    ("USER", SHELL),
    ("USERNAME", SHELL),
    ("LOGNAME", SHELL),
    ("SHELL", SHELL),
    ("SHLVL", SHELL),
    ("PWD", SHELL),
    ("OLDPWD", SHELL),
    ("MAIL", SHELL),
    ("HOSTNAME", SHELL),
    ("IFS", SHELL),
    ("PS1", SHELL),
    ("_", SHELL),
    ("EDITOR", SHELL),
    ("VISUAL", SHELL),
    ("PAGER", SHELL),
    ("LANG", LOCALE),
    ("LANGUAGE", LOCALE),
    ("LC_*", LOCALE),
    ("TZ", LOCALE),
    ("TERM", DESKTOP),
    ("TERM_*", DESKTOP),
    ("COLORTERM", DESKTOP),
    ("COLUMNS", DESKTOP),
    ("LINES", DESKTOP),
    ("DISPLAY", DESKTOP),
    ("WAYLAND_DISPLAY", DESKTOP),
    ("XAUTHORITY", DESKTOP),
    ("XDG_*", DESKTOP),
    ("DBUS_*", DESKTOP),
    ("TMPDIR", SYSTEM),
    ("TMP", SYSTEM),
    ("TEMP", SYSTEM),
    ("USERPROFILE", SYSTEM),
    ("APPDATA", SYSTEM),
    ("LOCALAPPDATA", SYSTEM),
    ("COMSPEC", SYSTEM),
    ("PATHEXT", SYSTEM),
    ("SYSTEMROOT", SYSTEM),
    ("WINDIR", SYSTEM),
    ("LD_*", LOADER),
    ("DYLD_*", LOADER),
    ("SSH_*", SSH),
    ("CARGO_*", CARGO),
    ("RUST_*", CARGO),
];

/// What the variable of that name is, if it is something other than a workload's secret.
///
/// Case is ignored, as on Windows; and `https_proxy` means the same as `HTTPS_PROXY`.
pub(crate) fn reserved(variable: &str) -> Option<&'static str> {
    let name = variable.to_ascii_uppercase();
    let is_it = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    RESERVED.iter().find(|(pattern, _)| is_it(pattern)).map(|(_, what)| *what)
}
