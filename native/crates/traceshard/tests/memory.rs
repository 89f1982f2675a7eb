//! Tests how much memory the reader takes for files that were made to take much: a few kilobytes that stand for
//! gigabytes.

use std::sync::Arc;

use parquet::basic::{Compression, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use testkit::CountingAllocator;
use traceshard::{COLUMNS, Error, Row, Shard};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Reads a file. Returns the result, and the peak of the memory in MiB.
fn read(bytes: Vec<u8>) -> (Result<u64, Error>, usize) {
    ALLOCATOR.peak_of(|| {
        Shard::from_bytes(bytes).and_then(|shard| {
            let mut rows = 0;
            for group in 0..shard.groups() {
                let visit = |_: &Row<'_>| {
                    rows += 1;
                    Ok::<(), Error>(())
                };
                shard.read_group(group, visit)?;
            }
            Ok(rows)
        })
    })
}

/// Builds a shard of `groups` groups of `rows` rows each, with `text` in all columns that accept any text.
fn shard(groups: usize, rows: usize, dictionaries: bool, text: impl Fn(usize) -> String) -> Vec<u8> {
    let columns = COLUMNS.map(|(name, _)| match name {
        "newest" | "crosses_kernel" | "exact" | "taken" | "has_call_chain" => format!("REQUIRED BOOLEAN {name};"),
        "record" | "build_id" | "path" | "kind" | "event" | "arch" | "via" | "patch" | "branch_stack"
        | "call_chain" => {
            format!("REQUIRED BYTE_ARRAY {name} (STRING);")
        }
        _ => format!("REQUIRED INT64 {name};"),
    });
    let schema = Arc::new(parse_message_type(&format!("message m {{ {} }}", columns.concat())).expect("a schema"));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(dictionaries)
        .set_dictionary_page_size_limit(1 << 30)
        .set_data_page_size_limit(1 << 30)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::clone(&schema), Arc::new(properties)).expect("memory");
    for _ in 0..groups {
        let mut group = file.next_row_group().expect("memory");
        for field in schema.get_fields() {
            let mut column = group.next_column().expect("memory").expect("a column");
            let of_text = |text: &dyn Fn(usize) -> String| -> Vec<ByteArray> {
                (0..rows).map(|row| ByteArray::from(text(row).as_str())).collect()
            };
            let written = match (field.name(), field.get_physical_type()) {
                ("record", _) => {
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&of_text(&|_| "branch".to_owned()), None, None)
                }
                ("kind", _) => {
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&of_text(&|_| "user".to_owned()), None, None)
                }
                (_, Physical::BYTE_ARRAY) => column.typed::<ByteArrayType>().write_batch(&of_text(&text), None, None),
                (_, Physical::BOOLEAN) => column.typed::<BoolType>().write_batch(&vec![true; rows], None, None),
                _ => column.typed::<Int64Type>().write_batch(&vec![1; rows], None, None),
            };
            written.expect("memory");
            column.close().expect("memory");
        }
        group.close().expect("memory");
    }
    file.into_inner().expect("memory")
}

/// All cases are in one test, because the allocator counts for the whole process.
#[test]
fn no_file_takes_memory_out_of_proportion() {
    // Each row has six texts of 30 MB.
    for dictionaries in [false, true] {
        let bomb = shard(1, 1, dictionaries, |_| "x".repeat(30_000_000));
        assert!(bomb.len() < 200_000, "{} bytes", bomb.len());
        let (rows, peak) = read(bomb);
        let error = rows.expect_err("refused").to_string();
        assert!(
            error.contains("together, more than the 134217728 that are read"),
            "{error}"
        );
        assert!(peak < 200, "{peak} MiB");
    }
    // The shard has a dictionary of many short texts.
    let texts = shard(1, 300_000, true, |row| format!("{row:06x}"));
    let (rows, peak) = read(texts);
    assert!(rows.is_err() || peak < 300, "{rows:?}");
    assert!(peak < 300, "{peak} MiB");
    // The shard has many groups.
    let groups = shard(400, 1, true, |_| "ab".to_owned());
    let size = groups.len() >> 20;
    let (rows, peak) = read(groups);
    assert_eq!(rows.expect("rows"), 400);
    assert!(peak < 20 + 10 * size, "{peak} MiB for {size}");
    // This is an ordinary file, with as many texts as DuckDB puts into a group.
    let (rows, peak) = read(shard(1, 122_880, true, |row| format!("{row:040x}")));
    assert_eq!(rows.expect("rows"), 122_880);
    assert!(peak < 200, "{peak} MiB");
}
