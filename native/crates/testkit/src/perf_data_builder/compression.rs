//! COMPRESSED and COMPRESSED2 records.

use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::encode::Encoder;

/// Which records hold the compressed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Type 81, of any size.
    V1,
    /// Type 83 (perf 6.16), filled up to a multiple of 8.
    V2,
}

/// The longest payload perf puts into a record.
const MAX_PAYLOAD: usize = 65519;

/// Compresses `records`, cut every `piece` bytes, as one zstd stream that is flushed after each piece. FINISHED_ROUND records
/// stand between, as perf puts them there.
pub(super) fn compress(encoder: &Encoder, records: &[u8], compression: Compression, piece: usize) -> Vec<u8> {
    let mut context = CCtx::create();
    context
        .set_parameter(CParameter::CompressionLevel(1))
        .expect("level 1 exists");
    let mut out = Vec::new();
    for piece in records.chunks(piece.max(1)) {
        for payload in compress_piece(&mut context, piece) {
            out.extend(wrap(encoder, &payload, compression));
        }
        out.extend(encoder.record(68, 0, &[]));
    }
    out
}

fn compress_piece(context: &mut CCtx<'_>, piece: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut input = InBuffer::around(piece);
    loop {
        // Room for the piece and for what the stream held back before.
        let mut payload = vec![0; MAX_PAYLOAD.min(zstd_safe::compress_bound(piece.len()) + 64)];
        let mut output = OutBuffer::around(payload.as_mut_slice());
        context
            .compress_stream(&mut output, &mut input)
            .expect("compression into a buffer works");
        let left = context.flush_stream(&mut output).expect("flushing into a buffer works");
        let len = output.pos();
        payload.truncate(len);
        payloads.push(payload);
        if left == 0 && input.pos() == piece.len() {
            return payloads;
        }
    }
}

fn wrap(encoder: &Encoder, payload: &[u8], compression: Compression) -> Vec<u8> {
    match compression {
        Compression::V1 => encoder.record(81, 0, payload),
        Compression::V2 => {
            let mut record = encoder.u32(83).to_vec();
            record.extend(encoder.u16(0));
            // perf lets this overflow, and then writes no padding.
            let padded = (16 + payload.len()).next_multiple_of(8);
            record.extend(encoder.u16(padded as u16));
            record.extend(encoder.u64(payload.len() as u64));
            record.extend_from_slice(payload);
            if padded <= usize::from(u16::MAX) {
                record.resize(padded, 0);
            }
            record
        }
    }
}
