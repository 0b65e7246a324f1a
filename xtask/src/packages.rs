//! Packages of the system: installed where we may, otherwise the command that installs them.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::bail;

use crate::children::Running;

/// Something that is installed by the system's own tool, under the name that each system has for it.
pub struct Package {
    /// What it is, in words.
    pub what: &'static str,
    pub debian: &'static [&'static str],
    pub fedora: &'static [&'static str],
    pub arch: &'static [&'static str],
    pub alpine: &'static [&'static str],
}

/// A C++ compiler, for torch-sys.
const CXX_COMPILER: Package = Package {
    what: "a C++ compiler",
    debian: &["g++"],
    fedora: &["gcc-c++"],
    arch: &["gcc"],
    alpine: &["g++"],
};

/// A Vulkan driver that computes on the processor (Mesa's lavapipe).
pub const SOFTWARE_VULKAN: Package = Package {
    what: "the software Vulkan driver lavapipe",
    debian: &["mesa-vulkan-drivers", "libvulkan1"],
    fedora: &["mesa-vulkan-drivers", "vulkan-loader"],
    arch: &["vulkan-swrast", "vulkan-icd-loader"],
    alpine: &["mesa-vulkan-swrast", "vulkan-loader"],
};

/// Sees to a C++ compiler.
pub fn need_cxx_compiler() -> anyhow::Result<()> {
    // On Windows the compiler is found through the registry, which the build scripts do themselves.
    if cfg!(windows) || env::var_os("CXX").is_some() || ["c++", "g++", "clang++"].into_iter().any(is_in_path) {
        return Ok(());
    }
    install(&CXX_COMPILER)
}

fn is_in_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Installs a package with `apt-get` where that is the system's tool and we may.
///
/// # Errors
/// Says the command to type where we may not, or where the system has another tool.
pub fn install(package: &Package) -> anyhow::Result<()> {
    if !is_in_path("apt-get") {
        bail!(
            "{} is missing; install it: {}",
            package.what,
            by_hand(package, &system())
        );
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if is_in_path("sudo") && may_sudo() {
        // Without a question: who watches a long run should not find it waiting for a password.
        &["sudo", "-n"]
    } else {
        bail!(
            "{} is missing; install it: {}",
            package.what,
            by_hand(package, "debian")
        );
    };
    println!("installing {}: {}", package.what, package.debian.join(" "));
    apt_get(prefix, &["update", "-qq"])?;
    let mut arguments = vec!["install", "--yes", "-qq", "--no-install-recommends"];
    arguments.extend(package.debian);
    if !apt_get(prefix, &arguments)? {
        bail!(
            "apt-get could not install {}; what it said stands above; by hand: {}",
            package.what,
            by_hand(package, "debian")
        );
    }
    Ok(())
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> anyhow::Result<bool> {
    let mut words = prefix.to_vec();
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    words.extend(arguments);
    let (program, rest) = words.split_first().unwrap_or((&"apt-get", &[]));
    Running::start(
        Command::new(program)
            .args(rest)
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    )?
    .wait()
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Whether sudo asks nothing.
fn may_sudo() -> bool {
    Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The `ID` and `ID_LIKE` of this system, such as `ubuntu debian`.
fn system() -> String {
    let text = fs::read_to_string(Path::new("/etc/os-release")).unwrap_or_default();
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    format!("{} {}", value("ID="), value("ID_LIKE="))
}

/// What a person types.
fn by_hand(package: &Package, system: &str) -> String {
    let is = |name: &str| system.split_whitespace().any(|word| word == name);
    let (command, names) = if is("debian") || is("ubuntu") {
        ("sudo apt-get install --no-install-recommends", package.debian)
    } else if is("fedora") || is("rhel") {
        ("sudo dnf install", package.fedora)
    } else if is("arch") {
        ("sudo pacman -S", package.arch)
    } else if is("alpine") {
        ("sudo apk add", package.alpine)
    } else {
        return format!(
            "what Debian calls {}, under the name that your system has for it",
            package.debian.join(" and ")
        );
    };
    format!("`{command} {}`", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_gets_its_own_command() {
        let command = |system| by_hand(&SOFTWARE_VULKAN, system);
        assert_eq!(
            command("ubuntu debian"),
            "`sudo apt-get install --no-install-recommends mesa-vulkan-drivers libvulkan1`"
        );
        assert_eq!(
            command("fedora "),
            "`sudo dnf install mesa-vulkan-drivers vulkan-loader`"
        );
        assert_eq!(
            command("manjaro arch"),
            "`sudo pacman -S vulkan-swrast vulkan-icd-loader`"
        );
        assert!(command("plan9").contains("mesa-vulkan-drivers and libvulkan1"));
    }
}
