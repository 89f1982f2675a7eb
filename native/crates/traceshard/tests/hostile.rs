//! Tests files that are no shards, damaged shards, and shards that were made to do harm: each gives an error, and
//! takes no more memory than its size justifies.

mod support;

use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use support::{branch, shard};
use traceshard::{Error, Record, Row, Shard};

fn rows_of(bytes: Vec<u8>) -> Result<usize, Error> {
    let shard = Shard::from_bytes(bytes)?;
    let mut rows = 0;
    for group in 0..shard.groups() {
        let visit = |_: &Row<'_>| {
            rows += 1;
            Ok::<(), Error>(())
        };
        shard.read_group(group, visit)?;
    }
    Ok(rows)
}

fn sample() -> Vec<u8> {
    let rows: Vec<_> = (0..2000u64).map(|from| branch(from * 7 % 1000, from, from)).collect();
    shard(&rows)
}

/// Builds a file of one row in the schema of a shard, with another declaration of one column and another count.
fn one_row(replaced: &str, by: &str, count: i64, version: Option<&str>) -> Vec<u8> {
    one_row_of(replaced, by, count, version, "x")
}

/// Builds the same file, with `text` in all columns that accept any text.
fn one_row_of(replaced: &str, by: &str, count: i64, version: Option<&str>, text: &str) -> Vec<u8> {
    let schema = "message m {
        REQUIRED BYTE_ARRAY record (STRING); REQUIRED BYTE_ARRAY build_id (STRING); REQUIRED BYTE_ARRAY path (STRING);
        REQUIRED BYTE_ARRAY kind (STRING); REQUIRED BYTE_ARRAY event (STRING); REQUIRED BYTE_ARRAY arch (STRING);
        REQUIRED INT64 branch_from (INTEGER(64,false)); REQUIRED INT64 branch_to; REQUIRED INT64 run_end;
        REQUIRED BOOLEAN newest; REQUIRED BYTE_ARRAY via (STRING); REQUIRED BYTE_ARRAY patch (STRING);
        REQUIRED INT64 count; REQUIRED INT64 mispredicted; }";
    assert!(replaced.is_empty() || schema.contains(replaced));
    let schema = Arc::new(parse_message_type(&schema.replace(replaced, by)).expect("a schema"));
    let pairs = version.map(|version| vec![KeyValue::new("autofdo.schema_version".to_owned(), version.to_owned())]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(pairs)
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::clone(&schema), Arc::new(properties)).expect("memory");
    let mut group = file.next_row_group().expect("memory");
    for field in schema.get_fields() {
        let mut column = group.next_column().expect("memory").expect("a column");
        match field.name() {
            "newest" => drop(column.typed::<BoolType>().write_batch(&[true], None, None)),
            "record" => drop(
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&[ByteArray::from("branch")], None, None),
            ),
            "build_id" => drop(
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&[ByteArray::from("ab")], None, None),
            ),
            "kind" => drop(
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&[ByteArray::from("user")], None, None),
            ),
            name => match field.get_physical_type() {
                parquet::basic::Type::INT64 => {
                    let value = if name == "count" { count } else { 1 };
                    drop(column.typed::<Int64Type>().write_batch(&[value], None, None));
                }
                // A column without a value.
                parquet::basic::Type::INT32 => {
                    drop(column.typed::<Int32Type>().write_batch(&[], Some(&[0]), None));
                }
                parquet::basic::Type::DOUBLE => drop(column.typed::<DoubleType>().write_batch(&[5.0], None, None)),
                _ => drop(
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&[ByteArray::from(text)], None, None),
                ),
            },
        }
        column.close().expect("memory");
    }
    group.close().expect("memory");
    file.into_inner().expect("memory")
}

#[test]
fn integers_may_have_a_sign_that_is_not_used() {
    assert!(matches!(rows_of(one_row("", "", 5, None)), Ok(1)));
    assert!(matches!(rows_of(one_row("", "", 5, Some("1"))), Ok(1)));
    assert!(matches!(rows_of(one_row("", "", 5, Some("2"))), Ok(1)));
}

#[test]
fn wrong_cells_are_named() {
    let message = |bytes| rows_of(bytes).expect_err("refused").to_string();
    assert_eq!(
        message(one_row("", "", -5, None)),
        "column `count` has -5 in row 0, and it must be 0 or greater"
    );
    let newer = message(one_row("", "", 5, Some("5")));
    assert_eq!(
        newer,
        "the traces have version 5 of the schema, and this program reads versions up to 4"
    );
    let missing = message(one_row("REQUIRED INT64 run_end;", "", 5, None));
    assert_eq!(missing, "the traces have no column `run_end`");
    let wrong = message(one_row("INT64 branch_to;", "BYTE_ARRAY branch_to (STRING);", 5, None));
    assert!(
        wrong.starts_with("column `branch_to` is BYTE_ARRAY (String), and it must be an integer"),
        "{wrong}"
    );
    let decimal = message(one_row("INT64 count;", "INT64 count (DECIMAL(18,0));", 5, None));
    assert!(
        decimal.starts_with("column `count` is DECIMAL(18, 0), and it must be an integer"),
        "{decimal}"
    );
    let time = message(one_row(
        "INT64 count;",
        "INT64 count (TIMESTAMP(MILLIS,true));",
        5,
        None,
    ));
    assert!(
        time.starts_with("column `count` is INT64 (Timestamp), and it must be"),
        "{time}"
    );
    assert!(decimal.contains("SUM(count)::UBIGINT"), "{decimal}");
    // This is the result of DuckDB's SUM without a cast.
    let double = message(one_row("INT64 count;", "DOUBLE count;", 5, None));
    assert!(
        double.starts_with("column `count` is DOUBLE, and it must be an integer"),
        "{double}"
    );
    assert!(double.contains("SUM(count)::UBIGINT"), "{double}");
    assert_eq!(
        message(one_row("INT64 count;", "INT64 count; REQUIRED INT64 Count;", 5, None)),
        "it has several columns `count`"
    );
    assert!(message(b"PAR1".to_vec()).contains("too short"));
    assert!(message(vec![7; 100]).contains("does not begin and end with PAR1"));
    let cut = message([b"PAR1".as_slice(), &[0; 100]].concat());
    assert!(
        cut.contains("it does not end with PAR1, so its end is missing, or it is still being written"),
        "{cut}"
    );
    let encrypted = message([b"PARE".as_slice(), &[0; 100], b"PARE"].concat());
    assert_eq!(encrypted, "the Parquet file is encrypted");
}

#[test]
fn columns_without_a_value_may_have_any_type() {
    for name in ["event", "arch", "via", "patch"] {
        let declared = format!("REQUIRED BYTE_ARRAY {name} (STRING);");
        assert!(
            matches!(
                rows_of(one_row(&declared, &format!("OPTIONAL INT32 {name};"), 5, None)),
                Ok(1)
            ),
            "{name}"
        );
    }
    // Every row has a path.
    let path = one_row("REQUIRED BYTE_ARRAY path (STRING);", "OPTIONAL INT32 path;", 5, None);
    let error = rows_of(path).expect_err("refused").to_string();
    assert_eq!(error, "column `path` is INT32, and it must be text");
}

#[test]
fn a_version_is_a_number() {
    for version in ["", "x", "0", "-1", "4.0", " 4", "99999999999"] {
        let error = rows_of(one_row("", "", 5, Some(version))).expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!("its metadata has the `autofdo.schema_version` {version:?}, and it must be a number from 1 on")
        );
    }
}

#[test]
fn names_of_columns_may_have_any_case() {
    assert!(matches!(
        rows_of(one_row("INT64 count;", "INT64 COUNT;", 5, None)),
        Ok(1)
    ));
    assert!(matches!(
        rows_of(one_row("path (STRING);", "Path (STRING);", 5, None)),
        Ok(1)
    ));
}

#[test]
fn a_build_id_is_in_lower_case_hexadecimal() {
    let read = |build_id| {
        let row = Row {
            build_id,
            ..branch(1, 2, 3)
        };
        let shard = Shard::from_bytes(shard(&[row])).expect("a shard");
        let mut found = None;
        let by_rows = shard.read_group(0, |row| {
            found = row.build_id.map(str::to_owned);
            Ok::<(), Error>(())
        });
        let by_files = shard.read_binaries(0, |binary| assert_eq!(binary.build_id, found));
        // A reader may leave a group out only if its build ids are sound.
        assert_eq!(shard.build_ids_of(0).is_some(), by_rows.is_ok() && found.is_some());
        assert_eq!(
            by_rows.as_ref().map_err(ToString::to_string),
            by_files.as_ref().map_err(ToString::to_string)
        );
        by_rows.map(|()| found).map_err(|error| error.to_string())
    };
    assert_eq!(read(Some("ab12")), Ok(Some("ab12".to_owned())));
    assert_eq!(read(Some("")), Ok(None));
    assert_eq!(read(Some("0000")), Ok(None));
    assert_eq!(read(None), Ok(None));
    for wrong in ["AB12", "ab1", "0xab", "ab-12", "unknown"] {
        let message = format!(
            "column `build_id` has {wrong:?} in row 0, and it must be bytes in lower-case hexadecimal, or null"
        );
        assert_eq!(read(Some(wrong)), Err(message));
    }
}

#[test]
fn a_record_without_its_cells_is_refused_by_the_name_of_the_column() {
    let message = |change: fn(&mut Row<'static>)| {
        let mut row = branch(1, 2, 3);
        change(&mut row);
        rows_of(shard(&[branch(0, 0, 1), row]))
            .expect_err("refused")
            .to_string()
    };
    let of_address = message(|row| row.record = Record::Address);
    assert_eq!(
        of_address,
        "column `exact` has no value in row 1, and it must be a truth value in rows of addresses"
    );
    let nowhere = message(|row| (row.record, row.exact, row.from) = (Record::Address, Some(true), None));
    assert_eq!(
        nowhere,
        "column `branch_from` has no value in row 1, and it must be the sampled address"
    );
    let of_branch = message(|row| row.record = Record::SampledBranch);
    assert_eq!(
        of_branch,
        "column `taken` has no value in row 1, and it must be a truth value in rows of sampled branches"
    );
    let of_stack = message(|row| row.record = Record::Stack);
    assert_eq!(
        of_stack,
        "column `branch_stack` has no value in row 1, and it must be the entries of the branch stack"
    );
    let of_call = message(|row| (row.record, row.to) = (Record::Call, None));
    assert_eq!(
        of_call,
        "column `branch_to` has no value in row 1, and it must be an address of the function that was called"
    );
}

#[test]
fn files_that_are_cut_off_are_errors() {
    let whole = sample();
    for len in 0..whole.len() {
        assert!(rows_of(whole[..len].to_vec()).is_err(), "{len} bytes");
    }
}

#[test]
fn no_changed_byte_is_worse_than_an_error() {
    let whole = sample();
    let hook = std::panic::take_hook();
    // The code catches panics of the library, so they need not be printed.
    std::panic::set_hook(Box::new(|_| ()));
    let mut refused = 0;
    for index in 0..whole.len() {
        for change in [0xff, 0x80, 0x01] {
            let mut bytes = whole.clone();
            bytes[index] ^= change;
            refused += usize::from(rows_of(bytes).is_err());
        }
    }
    std::panic::set_hook(hook);
    assert!(
        refused > whole.len(),
        "{refused} of {} changes were found",
        3 * whole.len()
    );
}

/// Builds a shard whose rows have no bytes of their own, because all rows are the same.
fn same_rows(rows: u64) -> Vec<u8> {
    shard(&vec![branch(1, 2, 3); rows as usize])
}

#[test]
fn no_group_has_more_rows_than_its_bytes_can_tell_apart() {
    assert!(matches!(rows_of(same_rows(60_000)), Ok(60_000)));
    // The description states the number of rows of the file, and of its only group.
    let mut bytes = same_rows(60_000);
    let number = [0xc0, 0xa9, 0x07]; // 60,000, as a zigzag number of Thrift
    let places: Vec<_> = (0..bytes.len() - 3).filter(|at| bytes[*at..at + 3] == number).collect();
    assert!(places.len() > 2, "{places:?}");
    for at in places {
        bytes[at..at + 3].copy_from_slice(&[0xfe, 0xff, 0x7f]);
    }
    let error = rows_of(bytes).expect_err("refused").to_string();
    assert!(
        error.contains("claims 1048575 rows") || error.contains("damaged"),
        "{error}"
    );
}

#[test]
fn a_page_that_inflates_beyond_all_bounds_is_not_inflated() {
    // 120 MB of one letter take a few kilobytes.
    let text = "x".repeat(120_000_000);
    let bytes = one_row_of("", "", 5, None, &text);
    assert!(bytes.len() < 100_000, "{} bytes", bytes.len());
    let error = rows_of(bytes).expect_err("refused").to_string();
    assert!(
        error.contains("bytes, more than the 117440512 that are read"),
        "{error}"
    );
}

#[test]
fn folders_name_columns_of_every_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |partition: &str, replaced: &str| {
        let path = folder.path().join(partition);
        std::fs::create_dir_all(&path).expect("a folder");
        let path = path.join("x.parquet");
        std::fs::write(&path, one_row(replaced, "", 5, None)).expect("written");
        let shard = Shard::open(&path)?;
        let mut found = None;
        shard.read_group(0, |row| {
            found = Some((row.newest, row.end, row.count, row.exact, row.stack_end));
            Ok::<(), Error>(())
        })?;
        Ok::<_, Error>(found.expect("a row"))
    };
    let newest = "REQUIRED BOOLEAN newest;";
    assert_eq!(
        read("newest=false", newest).expect("read"),
        (false, Some(1), 5, None, None)
    );
    let end = "REQUIRED INT64 run_end;";
    assert_eq!(read("run_end=77", end).expect("read"), (true, Some(77), 5, None, None));
    assert_eq!(
        read("run_end=__HIVE_DEFAULT_PARTITION__", end).expect("read"),
        (true, None, 5, None, None)
    );
    assert_eq!(
        read("exact=true/stack_end=9", "").expect("read"),
        (true, Some(1), 5, Some(true), Some(9))
    );
    // The values of the file are used.
    assert_eq!(read("count=7", "").expect("read").2, 5);
    assert_eq!(read("count=7", "REQUIRED INT64 count;").expect("read").2, 7);
    for (partition, expected) in [
        (
            "exact=maybe",
            "the folder of the file gives the column `exact` the value \"maybe\", and it must be true or false",
        ),
        (
            "run_start=-1",
            "the folder of the file gives the column `run_start` the value \"-1\", and it must be a whole number that is not negative",
        ),
    ] {
        assert_eq!(read(partition, "").expect_err("refused").to_string(), expected);
    }
}
