//! libtorch out of the Python package of PyTorch, where nothing smaller can be had.
//!
//! The package for Linux on x86-64 has 900 MB, most of it for CUDA; what is kept has 490 MB on the disk: the headers,
//! and the libraries that processors need.

use std::{
    env, fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use ureq::Agent;

use super::{
    VERSION,
    archive::{beside, unpack, unpack_into},
};

/// A file of the Python package index.
struct Wheel {
    project: &'static str,
    file: &'static str,
    sha256: &'static str,
}

/// The package of PyTorch for this machine, and what its libraries ask for besides.
///
/// The libraries are the same for every version of Python, so it does not matter which is named here.
fn wheels() -> Option<&'static [Wheel]> {
    // `libtorch_cpu.so` of this package needs two libraries of CUDA even where nothing computes on a GPU.
    const LINUX_X86_64: &[Wheel] = &[
        Wheel {
            project: "torch",
            file: "torch-2.9.0-cp311-cp311-manylinux_2_28_x86_64.whl",
            sha256: "51de31219c97c51cf4bf2be94d622e3deb5dcc526c6dc00e97c17eaec0fc1d67",
        },
        Wheel {
            project: "nvidia-cuda-cupti-cu12",
            file: "nvidia_cuda_cupti_cu12-12.8.90-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
            sha256: "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182",
        },
        Wheel {
            project: "nvidia-cuda-runtime-cu12",
            file: "nvidia_cuda_runtime_cu12-12.8.90-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
            sha256: "adade8dcbd0edf427b7204d480d6066d33902cab2a4707dcfc48a2d0fd44ab90",
        },
    ];
    const LINUX_AARCH64: &[Wheel] = &[Wheel {
        project: "torch",
        file: "torch-2.9.0-cp311-cp311-manylinux_2_28_aarch64.whl",
        sha256: "c596708b5105d0b199215acf0c9be7c1db5f1680d88eddadf4b75a299259a677",
    }];
    const MACOS_AARCH64: &[Wheel] = &[Wheel {
        project: "torch",
        file: "torch-2.9.0-cp311-none-macosx_11_0_arm64.whl",
        sha256: "614a185e4986326d526a91210c8fc1397e76e8cfafa78baf6296a790e53a9eec",
    }];
    const WINDOWS_X86_64: &[Wheel] = &[Wheel {
        project: "torch",
        file: "torch-2.9.0-cp311-cp311-win_amd64.whl",
        sha256: "dd515c70059afd95f48b8192733764c08ca37a1d19803af6401b5ecad7c8676e",
    }];
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Some(LINUX_X86_64),
        ("linux", "aarch64") => Some(LINUX_AARCH64),
        ("macos", "aarch64") => Some(MACOS_AARCH64),
        ("windows", "x86_64") => Some(WINDOWS_X86_64),
        _ => None,
    }
}

/// Downloads the packages and keeps in `folder` what is needed of them; gives libtorch's home in it.
pub fn make(client: &Agent, downloads: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let Some((torch, others)) = wheels().and_then(<[Wheel]>::split_first) else {
        bail!(
            "PyTorch {VERSION} has no package for {} on {}",
            env::consts::OS,
            env::consts::ARCH
        );
    };
    let index = index();
    // The small ones first: they are unpacked into the libraries' folder, which the last step moves into place.
    let mut received = Vec::new();
    for wheel in others.iter().chain([torch]) {
        let file = downloads.join(wheel.file);
        let address = address(client, &index, wheel)?;
        crate::download::download(client, &address, &file, Some(wheel.sha256))?;
        received.push(file);
    }
    println!("unpacking");
    let beside = beside(folder, "libraries");
    let torch = received.pop().context("no package was received")?;
    for file in &received {
        unpack_into(file, &library_of_cuda, &beside)?;
    }
    unpack(&torch, &needed, folder)?;
    let home = folder.join("torch");
    finish(&home, &beside).inspect_err(|_| {
        // Not half-made under its own name.
        let _ = fs::remove_dir_all(folder);
    })?;
    Ok(home)
}

/// Adds what the package lacks: CUDA's libraries, a `libtorch.so` that asks for none of those left out, the version.
fn finish(home: &Path, libraries: &Path) -> anyhow::Result<()> {
    let lib = home.join("lib");
    if libraries.is_dir() {
        for entry in fs::read_dir(libraries)? {
            let entry = entry?;
            fs::rename(entry.path(), lib.join(entry.file_name()))?;
        }
        fs::remove_dir(libraries)?;
    }
    let torch = lib.join("libtorch.so");
    #[cfg(unix)]
    if lib.join("libtorch_cpu.so").is_file() && !torch.exists() {
        std::os::unix::fs::symlink("libtorch_cpu.so", &torch)
            .with_context(|| format!("cannot create {}", torch.display()))?;
    }
    let version = home.join("build-version");
    fs::write(&version, format!("{VERSION}\n")).with_context(|| format!("cannot write {}", version.display()))
}

/// What of PyTorch's package is kept, and where: headers and libraries, but none for Python and, where the package is
/// that with CUDA, none for GPUs.
fn needed(path: &Path) -> Option<PathBuf> {
    const WITHOUT: [&str; 8] = [
        "libtorch_python",
        "libtorch_global_deps",
        "libtorch_cuda",
        "libtorch_nvshmem",
        "libc10_cuda",
        "libcaffe2_nvrtc",
        "libshm",
        "torch_python",
    ];
    let name = path.file_name()?.to_str()?;
    // The `libtorch.so` of the package with CUDA asks for `libtorch_cuda.so`; `finish` makes another.
    let with_cuda = env::consts::OS == "linux" && env::consts::ARCH == "x86_64";
    let kept = path.starts_with("torch/include")
        || path.starts_with("torch.libs")
        || (path.starts_with("torch/lib")
            && !WITHOUT.iter().any(|without| name.starts_with(without))
            && !(with_cuda && name == "libtorch.so"));
    kept.then(|| path.to_owned())
}

/// The two libraries of CUDA without which `libtorch_cpu.so` does not load.
fn library_of_cuda(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    ["libcupti.so.12", "libcudart.so.12"]
        .contains(&name)
        .then(|| name.into())
}

/// The package index that pip would ask.
fn index() -> String {
    let of_pip = || {
        let output = Command::new("python3")
            .args(["-m", "pip", "config", "get", "global.index-url"])
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    env::var("PIP_INDEX_URL")
        .ok()
        .or_else(of_pip)
        .unwrap_or_else(|| "https://pypi.org/simple".to_owned())
        .trim_end_matches('/')
        .to_owned()
}

/// Asks the index where a file is.
fn address(client: &Agent, index: &str, wheel: &Wheel) -> anyhow::Result<String> {
    let page = format!("{index}/{}/", wheel.project);
    let mut response = client
        .get(&page)
        .header("Accept", "application/vnd.pypi.simple.v1+html, text/html;q=0.9")
        .call()
        .with_context(|| format!("cannot ask {page}"))?;
    if response.status() != 200 {
        bail!("{page}: the server answered {}", response.status());
    }
    let text = response
        .body_mut()
        .with_config()
        .limit(1 << 26)
        .read_to_string()
        .with_context(|| format!("cannot read {page}"))?;
    let link = link(&text, wheel.file).with_context(|| format!("{page} has no {}", wheel.file))?;
    Ok(absolute(&page, link))
}

/// The address of a file on a page of the index: `href="ADDRESS#sha256=…"`.
fn link<'a>(page: &'a str, file: &str) -> Option<&'a str> {
    page.split("href=\"").skip(1).find_map(|rest| {
        let address = rest.split(['"', '#']).next()?;
        let name = address.rsplit('/').next()?;
        (name == file || name == file.replace('+', "%2B")).then_some(address)
    })
}

/// An address as the page at `page` means it.
fn absolute(page: &str, address: &str) -> String {
    if address.contains("://") {
        return address.to_owned();
    }
    let (scheme, rest) = page.split_once("://").unwrap_or(("https", page));
    let (host, folder) = rest.split_once('/').unwrap_or((rest, ""));
    let joined = match address.strip_prefix('/') {
        Some(from_root) => from_root.to_owned(),
        None => format!("{folder}{address}"),
    };
    let mut parts: Vec<String> = Vec::new();
    for component in Path::new(&joined).components() {
        match component {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    format!("{scheme}://{host}/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_on_the_pages_of_an_index() {
        let page = r##"<a href="https://files.example/ab/x-1.whl#sha256=00">x-1.whl</a>
            <a href="../../packages/cd/y-2.whl#sha256=11" data-requires-python="&gt;=3.8">y-2.whl</a>
            <a href="/root/z-3.whl">z-3.whl</a>"##;
        let at = |file| link(page, file).map(|address| absolute("https://mirror.example/simple/pkg/", address));
        assert_eq!(at("x-1.whl").as_deref(), Some("https://files.example/ab/x-1.whl"));
        assert_eq!(
            at("y-2.whl").as_deref(),
            Some("https://mirror.example/packages/cd/y-2.whl")
        );
        assert_eq!(at("z-3.whl").as_deref(), Some("https://mirror.example/root/z-3.whl"));
        assert_eq!(at("w-4.whl"), None);
    }

    #[test]
    fn only_what_a_processor_needs_is_kept() {
        let kept = |path: &str| needed(Path::new(path)).is_some();
        assert!(kept("torch/include/torch/csrc/api/include/torch/version.h"));
        assert!(kept("torch/lib/libtorch_cpu.so"));
        assert!(kept("torch/lib/libc10.so"));
        assert!(kept("torch/lib/libgomp.so.1"));
        assert!(kept("torch.libs/libopenblasp-r0-121ca252.3.30.so"));
        assert!(!kept("torch/lib/libtorch_cuda_linalg.so"));
        assert!(!kept("torch/lib/libtorch_python.so"));
        assert!(!kept("torch/nn/functional.py"));
        assert!(!kept("functorch/_C.so"));
    }
}
