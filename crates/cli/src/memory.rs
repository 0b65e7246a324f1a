//! How much memory this machine has for a training on the processor.

use std::fs;

/// The bytes that this process may use at most, and what says so, where the system reports it (Linux): its memory, the limit of its
/// control group, or of the shell.
pub fn limit() -> Option<(u64, &'static str)> {
    [
        (machine(), "this machine's memory"),
        (control_group(), "the memory limit of this container"),
        (shell(), "the limit of `ulimit -v`"),
    ]
    .into_iter()
    .filter_map(|(bytes, what)| Some((bytes?, what)))
    .min()
}

fn machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    kilobytes(text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?)
}

fn control_group() -> Option<u64> {
    let files = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    files
        .iter()
        .find_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok())
}

/// `Max address space      unlimited            unlimited            bytes`
fn shell() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The most memory that this process held, in bytes, where the system reports it (Linux).
pub fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    kilobytes(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?)
}

/// `  123 kB`
fn kilobytes(text: &str) -> Option<u64> {
    let kilobytes: u64 = text.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024)
}
