//! Signals that the parent ignored, and signals that come twice.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::desk::{Desk, Run, wait_for_steps};

/// Starts a training that never ends by itself, with some signals ignored as `nohup` does it.
fn start(desk: &Desk, out: &str, ignored: &str, set: &[&str]) -> Child {
    let mut arguments = vec!["train", "tiny.toml", "--out", out, "--set", "training.epochs=1000000"];
    arguments.extend(set.iter().flat_map(|set| ["--set", set]));
    let command = desk.command(&arguments);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(desk.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell.spawn().unwrap()
}

fn shell(line: &str) {
    assert!(Command::new("sh").args(["-c", line]).status().unwrap().success());
}

#[test]
fn a_signal_that_the_parent_ignored_stays_ignored() {
    let desk = Desk::new();
    for (ignored, heard) in [("HUP", "INT"), ("INT", "TERM"), ("TERM", "HUP"), ("HUP INT", "TERM")] {
        let out = format!("without-{}", ignored.replace(' ', "-"));
        let mut child = start(&desk, &out, ignored, &[]);
        let metrics = desk.path(&out).join("metrics.jsonl");
        wait_for_steps(&metrics, 3);
        for signal in ignored.split(' ').cycle().take(3) {
            shell(&format!("kill -{signal} {}", child.id()));
            std::thread::sleep(Duration::from_millis(70));
        }
        let logged = std::fs::read_to_string(&metrics).unwrap().lines().count();
        wait_for_steps(&metrics, logged + 3);
        assert!(child.try_wait().unwrap().is_none(), "{ignored} stopped it");
        shell(&format!("kill -{heard} {}", child.id()));
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert!(run.stdout.contains("stopped and saved after step"), "{}", run.stdout);
    }
}

#[test]
fn a_signal_that_is_sent_twice_at_once_still_saves() {
    let desk = Desk::new();
    // `timeout` sends its signal to the process and to its group, and a closed terminal hangs up by the shell and by the system.
    for (signal, pause) in [("TERM", ""), ("INT", ""), ("HUP", "sleep 0.2;")] {
        let out = format!("twice-{signal}");
        let slow = [
            "training.discriminator_steps=50",
            "model.base_channels=16",
            "data.batch_size=40",
            "checkpoint.every=0",
        ];
        let child = start(&desk, &out, "QUIT", &slow);
        wait_for_steps(&desk.path(&out).join("metrics.jsonl"), 1);
        let kill = format!("kill -{signal} {}", child.id());
        // It may have ended by the time the second comes.
        shell(&format!("{kill}; {pause} {kill} 2>&1 || true"));
        let run = Run::from(child.wait_with_output().unwrap(), &["train"]);
        assert_eq!(run.code, 130, "{}", run.stderr);
        assert!(
            run.stdout.contains("stopped and saved after step"),
            "{signal}: {}",
            run.stderr
        );
        desk.ok(&["generate", &out, "--count", "1", "--force", "--out", "one.png"]);
    }
}
