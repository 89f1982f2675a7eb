//! A collection of a stream is killed: finished files stay, and the open one does not appear.
#![cfg(unix)]

#[path = "support/counts_by_file.rs"]
mod counts_by_file;
#[path = "support/spe_rounds.rs"]
mod spe_rounds;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use counts_by_file::counts_by_file;
use profgen::{CollectOptions, Rotation, Silent, collect};
use spe_rounds::{BRANCHES, CPUS, PROCESSES, ROUNDS, part};
use testkit::make_named_pipe;
use traceshard::Record;

/// Name of the variable that tells a child its folder.
const FOLDER: &str = "AUTOFDO_TEST_FOLDER";

fn shards_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let paths = files.map(|file| file.expect("readable").path());
    let is_shard = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    paths.filter(is_shard).collect()
}

/// Collects the stream in a folder until it is killed. The test below starts this one.
#[test]
#[ignore = "a child of the other test runs it"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let options = CollectOptions {
        rotate: Some(Rotation::Every(Duration::from_secs(1))),
        jobs: 2,
        ..CollectOptions::new(vec![folder.join("pipe")], folder.join("spool"))
    };
    let outcome = collect(&options, &Silent);
    panic!("it was not killed: {outcome:?}");
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "child", "--ignored"])
        .env(FOLDER, folder)
        .spawn()
        .expect("it starts")
}

#[test]
fn finished_files_of_a_trace_stay_when_the_collection_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pipe, spool) = (folder.path().join("pipe"), folder.path().join("spool"));
    make_named_pipe(&pipe);
    let mut child = start(folder.path());
    let mut writer = OpenOptions::new().write(true).open(&pipe).expect("a reader");
    let in_a_part = ROUNDS * CPUS * PROCESSES * BRANCHES;
    let counted = || {
        counts_by_file(&shards_in(&spool), Record::SampledBranch)
            .values()
            .sum::<u64>()
    };
    let begun = Instant::now();
    let mut parts = 0;
    // The trace that was written first is in finished files although the stream goes on.
    while counted() < in_a_part {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{} of {in_a_part}",
            counted()
        );
        writer.write_all(&part(parts)).expect("written");
        parts += 1;
        sleep(Duration::from_millis(200));
    }
    child.kill().expect("it runs");
    assert!(!child.wait().expect("it ended").success());
    let left = counted();
    assert!((in_a_part..=parts * in_a_part).contains(&left), "{left}");
    // Whatever else is left does not look like a shard.
    let files = std::fs::read_dir(&spool).expect("a folder");
    let others = files.map(|file| file.expect("readable").file_name().into_string().expect("a name"));
    assert!(
        others
            .into_iter()
            .all(|name| name.ends_with(".parquet") || name.starts_with(".autofdo-gen-"))
    );
}
