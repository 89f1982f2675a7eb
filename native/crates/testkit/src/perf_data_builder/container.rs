//! Writes containers: the recording as a file, a pipe or a directory.

use std::path::Path;
use std::{fs, io};

use super::PerfDataBuilder;
use super::compression::{Compression, compress, compress_of_kernel};
use super::encode::Endian;

const HEADER_LEN: u64 = 104;
const PIPE_HEADER_LEN: u64 = 16;
const COMPRESSED_FEATURE: u32 = 27;

impl PerfDataBuilder {
    /// Returns the recording as a file.
    #[must_use]
    pub fn build_file(&self) -> Vec<u8> {
        self.build_with_data(&self.records())
    }

    /// Returns a file as perf leaves it when it is killed: the header says that there are no data, and nothing
    /// follows the data.
    #[must_use]
    pub fn build_killed_file(&self) -> Vec<u8> {
        let mut file = Self {
            features: Vec::new(),
            ..self.clone()
        }
        .build_file();
        file[48..56].fill(0);
        file
    }

    /// Returns the recording as a stream for pipes.
    #[must_use]
    pub fn build_pipe(&self) -> Vec<u8> {
        self.pipe_with_data(&self.records())
    }

    /// Returns a file whose records are compressed. The records are cut every `piece` bytes, at any position.
    #[must_use]
    pub fn build_compressed_file(&self, compression: Compression, piece: usize) -> Vec<u8> {
        let mut with_feature = self.clone();
        let feature = self.encoder.halves(&[0, 1, 1, 2, 1 << 20]);
        with_feature.feature(COMPRESSED_FEATURE, feature);
        with_feature.build_with_data(&compress(&self.encoder, &self.records(), compression, piece))
    }

    /// Returns a stream whose records are compressed.
    #[must_use]
    pub fn build_compressed_pipe(&self, compression: Compression, piece: usize) -> Vec<u8> {
        self.pipe_with_data(&compress(&self.encoder, &self.records(), compression, piece))
    }

    /// Returns a stream as `perf record -z` writes one with a trace: the kernel's records are compressed, and perf's own
    /// records and the trace are not.
    #[must_use]
    pub fn build_pipe_of_compressed_kernel_records(&self, compression: Compression) -> Vec<u8> {
        self.pipe_with_data(&compress_of_kernel(&self.encoder, &self.records, compression))
    }

    /// Writes a directory as `perf record --threads` does: `data` with the first `in_main` records, and the other
    /// records in turn in `threads` files.
    ///
    /// # Errors
    /// Fails if the directory cannot be written.
    pub fn write_directory(
        &self,
        directory: &Path,
        in_main: usize,
        threads: usize,
        compression: Option<Compression>,
    ) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let (main, others) = self.records.split_at(in_main.min(self.records.len()));
        fs::write(directory.join("data"), self.build_with_data(&main.concat()))?;
        for thread in 0..threads {
            let records: Vec<u8> = others.iter().skip(thread).step_by(threads).flatten().copied().collect();
            let data = match compression {
                Some(compression) => compress(&self.encoder, &records, compression, 1777),
                None => records,
            };
            fs::write(directory.join(format!("data.{thread}")), data)?;
        }
        Ok(())
    }

    fn magic(&self) -> &'static [u8; 8] {
        match self.encoder.endian {
            Endian::Little => b"PERFILE2",
            Endian::Big => b"2ELIFREP",
        }
    }

    /// Writes header, ids, attrs, data, feature table and feature sections.
    fn build_with_data(&self, data: &[u8]) -> Vec<u8> {
        let encoder = &self.encoder;
        let mut ids = Vec::new();
        let mut attrs = Vec::new();
        let attr_size = self.events.iter().map(|event| event.attr_size).max().unwrap_or(64);
        for event in &self.events {
            let mut attr = event.encode(encoder);
            attr.resize(attr_size as usize, 0);
            attrs.extend(attr);
            attrs.extend(encoder.words(&[HEADER_LEN + ids.len() as u64, 8 * event.ids.len() as u64]));
            ids.extend(encoder.words(&event.ids));
        }
        let attrs_at = HEADER_LEN + ids.len() as u64;
        let data_at = attrs_at + attrs.len() as u64;
        let mut features = self.features.clone();
        features.sort_by_key(|(number, _)| *number);

        let mut file = self.magic().to_vec();
        file.extend(encoder.words(&[HEADER_LEN, u64::from(attr_size) + 16]));
        file.extend(encoder.words(&[attrs_at, attrs.len() as u64, data_at, data.len() as u64, 0, 0]));
        let mut bitmap = [0u64; 4];
        for (number, _) in &features {
            bitmap[*number as usize / 64] |= 1 << (number % 64);
        }
        file.extend(encoder.words(&bitmap));
        file.extend(ids);
        file.extend(attrs);
        file.extend_from_slice(data);
        let mut section_at = (file.len() + 16 * features.len()) as u64;
        for (_, section) in &features {
            file.extend(encoder.words(&[section_at, section.len() as u64]));
            section_at += section.len() as u64;
        }
        file.extend(features.into_iter().flat_map(|(_, section)| section));
        file
    }

    /// Writes the pipe header, then attrs, features and the end of features as records, then the data.
    fn pipe_with_data(&self, data: &[u8]) -> Vec<u8> {
        let encoder = &self.encoder;
        let mut stream = self.magic().to_vec();
        stream.extend(encoder.u64(PIPE_HEADER_LEN));
        for event in &self.events {
            let mut body = event.encode(encoder);
            body.extend(encoder.words(&event.ids));
            stream.extend(encoder.record(64, 0, &body));
        }
        for (number, section) in &self.features {
            let mut body = encoder.u64(u64::from(*number)).to_vec();
            body.extend_from_slice(section);
            stream.extend(encoder.record(80, 0, &body));
        }
        stream.extend(encoder.record(80, 0, &encoder.u64(32)));
        stream.extend_from_slice(data);
        stream
    }
}
