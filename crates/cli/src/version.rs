//! What `ganvas --version` shows: the commit, the backends and their kernels.

use ganvas_backend::BackendKind;

/// The version, and what this program was built from and with.
pub fn long(commit: &str) -> String {
    let commit = commit.trim();
    let commit = match commit.is_empty() || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => "unknown, built outside git".to_owned(),
        false => commit.chars().take(12).collect(),
    };
    let backends: Vec<String> = BackendKind::ALL
        .into_iter()
        .filter(|kind| kind.is_compiled())
        .map(|kind| {
            let kernels = match kind.has_fused_kernels() {
                true => "fused kernels",
                false => "Burn's operations",
            };
            format!("{} ({kernels})", kind.name())
        })
        .collect();
    let backends = match backends.is_empty() {
        true => "none".to_owned(),
        false => backends.join(", "),
    };
    format!("{}\ncommit: {commit}\nbackends: {backends}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::long;

    #[test]
    fn a_commit_is_shortened_and_its_absence_is_said() {
        let commit = "0123456789abcdef0123456789abcdef01234567\n";
        assert!(long(commit).contains("\ncommit: 0123456789ab\n"), "{}", long(commit));
        for nothing in ["", "\n", "ref: refs/heads/main"] {
            assert!(long(nothing).contains("\ncommit: unknown"), "{}", long(nothing));
        }
    }
}
