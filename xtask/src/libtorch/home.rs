//! What a folder must hold to be the libtorch that burn-tch needs.

use std::{fs, path::Path};

use anyhow::{Context, bail};

/// burn-tch 0.21 stands on tch 0.22, which fits exactly this version.
pub const VERSION: &str = "2.9.0";

/// Says whether `home` holds a libtorch of the right version.
///
/// # Errors
/// Names what is missing, or the version that is there instead.
pub fn examine(home: &Path) -> anyhow::Result<()> {
    if !home.is_dir() {
        bail!(
            "{}: expected a folder with libtorch {VERSION}, found none",
            home.display()
        );
    }
    let header = home.join("include/torch/csrc/api/include/torch/version.h");
    let text = fs::read_to_string(&header)
        .with_context(|| format!("{}: expected a header of libtorch, cannot read it", header.display()))?;
    let found = version(&text).with_context(|| format!("{}: names no version", header.display()))?;
    if found != VERSION && std::env::var_os("LIBTORCH_BYPASS_VERSION_CHECK").is_none() {
        bail!("{}: expected libtorch {VERSION}, found {found}", home.display());
    }
    let lib = home.join("lib");
    for name in ["torch", "torch_cpu", "c10"] {
        let file = lib.join(library(name));
        if !fs::metadata(&file).is_ok_and(|metadata| metadata.len() > 0) {
            bail!("{}: expected a library of libtorch, found none", file.display());
        }
    }
    Ok(())
}

/// What a linker looks for.
fn library(name: &str) -> String {
    match std::env::consts::OS {
        "windows" => format!("{name}.lib"),
        "macos" => format!("lib{name}.dylib"),
        _ => format!("lib{name}.so"),
    }
}

/// The version that `torch/version.h` defines, piece by piece.
fn version(header: &str) -> Option<String> {
    let piece = |name: &str| {
        header.lines().find_map(|line| {
            let mut words = line.strip_prefix("#define ")?.split_whitespace();
            (words.next()? == name).then(|| words.next()).flatten()
        })
    };
    Some(format!(
        "{}.{}.{}",
        piece("TORCH_VERSION_MAJOR")?,
        piece("TORCH_VERSION_MINOR")?,
        piece("TORCH_VERSION_PATCH")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "#pragma once\n\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n\
                          #define TORCH_VERSION_PATCH 0\n#define TORCH_VERSION_ABI_TAG 0\n";

    fn home(header: Option<&str>, libraries: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let headers = home.path().join("include/torch/csrc/api/include/torch");
        fs::create_dir_all(&headers).unwrap();
        fs::create_dir_all(home.path().join("lib")).unwrap();
        if let Some(text) = header {
            fs::write(headers.join("version.h"), text).unwrap();
        }
        for name in libraries {
            fs::write(home.path().join("lib").join(library(name)), "x").unwrap();
        }
        home
    }

    fn complaint(home: &Path) -> String {
        format!("{:#}", examine(home).unwrap_err())
    }

    #[test]
    fn a_whole_one_of_the_right_version_will_do() {
        examine(home(Some(HEADER), &["torch", "torch_cpu", "c10"]).path()).unwrap();
    }

    #[test]
    fn what_is_wrong_with_another_is_told() {
        let newer = HEADER.replace("MINOR 9", "MINOR 10");
        let complaint_of = |header, libraries: &[&str]| complaint(home(header, libraries).path());
        assert!(complaint_of(Some(&newer), &[]).contains("expected libtorch 2.9.0, found 2.10.0"));
        assert!(complaint_of(None, &[]).contains("expected a header"));
        assert!(complaint_of(Some("nothing"), &[]).contains("names no version"));
        assert!(complaint_of(Some(HEADER), &["torch", "c10"]).contains("torch_cpu"));
        assert!(complaint(Path::new("/nowhere")).contains("/nowhere: expected a folder"));
    }
}
