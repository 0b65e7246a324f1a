use std::fs;

use crate::desk::{Desk, Run, says};

/// The clock and the offset of the last session of `run`, and the time in the name of its folder.
fn times(desk: &Desk, zone: &str) -> (String, String) {
    let _ = fs::remove_dir_all(desk.path("runs"));
    let arguments = ["train", "tiny.toml", "--set", "training.max_steps=1"];
    let mut command = desk.command(&arguments);
    command.env("TZ", zone).env_remove("GANVAS_DATA");
    says(&Run::from(command.output().unwrap(), &arguments), 0, &[]);
    let folder = fs::read_dir(desk.path("runs")).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(folder.path().join("sessions.jsonl")).unwrap();
    let session: serde_json::Value = serde_json::from_str(&text).unwrap();
    let name = folder.file_name().to_string_lossy().into_owned();
    (session["began"].as_str().unwrap().to_owned(), name)
}

#[test]
fn runs_bear_the_local_time_and_sessions_its_offset() {
    let desk = Desk::new();
    let (tokyo, tokyo_folder) = times(&desk, "Asia/Tokyo");
    assert!(tokyo.ends_with("+09:00"), "{tokyo}");
    // The offset alone could come from the name; the clock must agree. Both were taken within the same run, so the hour of
    // the folder's name is the session's, or the one before it.
    let hour = |text: &str| text[11..13].parse::<i32>().unwrap();
    let later = (hour(&tokyo) - hour(&tokyo_folder)).rem_euclid(24);
    assert!(later <= 1, "{tokyo} in {tokyo_folder}");
    let (york, york_folder) = times(&desk, "America/New_York");
    assert!(york.ends_with("-05:00") || york.ends_with("-04:00"), "{york}");
    let behind = (hour(&tokyo_folder) - hour(&york_folder)).rem_euclid(24);
    assert!((12..=14).contains(&behind), "{tokyo_folder} and {york_folder}");
    let (utc, _) = times(&desk, "UTC");
    assert!(utc.ends_with("+00:00"), "{utc}");
}
