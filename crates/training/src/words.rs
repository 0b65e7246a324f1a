//! Counts as a person says them.

/// A number with its noun: `1 image`, `7 images`. The plural is the noun with an s, or with es after tch.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    // What does not fit is many.
    let count = count.try_into().unwrap_or(u64::MAX);
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {}", plural(noun)),
    }
}

fn plural(noun: &str) -> String {
    match noun.strip_suffix("tch") {
        Some(_) => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1_u64, "image"), "1 image");
        assert_eq!(counted(0_u64, "image"), "0 images");
        assert_eq!(counted(2_usize, "batch"), "2 batches");
    }
}
