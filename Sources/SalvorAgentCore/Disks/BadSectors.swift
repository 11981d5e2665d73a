internal import CLinux
internal import Glibc
internal import SalvorMessages
internal import SalvorSystem

/// Which parts of which disks the kernel could not read or write, as its log says: the only one that knows after ntfs-3g has
/// been told no more than "input/output error".
struct BadSectors: Sendable {
    /// When this was made, by the clock of the kernel's log.
    private let since: UInt64

    init() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        since = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
    }

    /// Says in an outcome what of the disk failed since this was made.
    func note(in outcome: inout Salvor_V1_Outcome, of disk: Salvor_V1_Disk) async {
        let devices = [disk.device] + disk.volumes.map(\.device)
        let failures = await Blocking.run { self.failures() }
        let sentence = Self.sentence(failures, on: devices)
        guard !sentence.isEmpty else { return }
        outcome.message += " " + sentence
        guard outcome.kind == .failed else { return }
        outcome.nextStep =
            "The storage under the disk fails, or the image is damaged. Save what can be read (ddrescue) and rescue that, or "
            + "restore a backup."
    }

    /// What one line of the log says.
    struct Failure: Equatable {
        /// As in /dev: `vdb`, `dm-0`.
        var device: String
        /// In 512-byte sectors, whatever the disk's are.
        var sectors: Range<UInt64>
        /// Microseconds since the machine started.
        var time: UInt64
    }

    private static let sectorBytes: UInt64 = 512
    /// Where the line does not say how much was asked for, a page: the least that the page cache asks for.
    private static let leastSectors: UInt64 = 8

    /// None where the log cannot be read. A device's name can have been another disk's before.
    private func failures() -> [Failure] {
        guard let log = try? Descriptor.open("/dev/kmsg", O_RDONLY | O_NONBLOCK) else { return [] }
        var failures: [Failure] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            // One record a read; EPIPE says that some were overwritten, EAGAIN that there are no more.
            let count = buffer.withUnsafeMutableBytes { read(log.number, $0.baseAddress, $0.count) }
            if count < 0, errno == EPIPE || errno == EINTR { continue }
            guard count > 0 else { break }
            let record = String(decoding: buffer[..<count], as: UTF8.self)
            if let failure = Self.failure(in: record), failure.time >= since { failures.append(failure) }
        }
        return failures
    }

    /// `6,339,5140900,-;I/O error, dev vdb, sector 178432 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2`, where 5.x
    /// kernels say `blk_update_request:` first.
    static func failure(in record: String) -> Failure? {
        let parts = record.split(separator: "\n").first?.split(separator: ";", maxSplits: 1) ?? []
        guard parts.count == 2, let time = parts[0].split(separator: ",").dropFirst(2).first.flatMap({ UInt64($0) }),
            let message = parts.last,
            message.contains("I/O error, dev ") || message.contains("critical medium error, dev ")
        else { return nil }
        let words = message.split(whereSeparator: { $0 == " " || $0 == "," })
        guard let dev = words.firstIndex(of: "dev"), dev + 1 < words.count,
            let sector = words.firstIndex(of: "sector"), sector + 1 < words.count,
            let first = UInt64(words[sector + 1]),
            first < .max / sectorBytes - leastSectors
        else { return nil }
        return Failure(device: String(words[dev + 1]), sectors: first..<(first + leastSectors), time: time)
    }

    static func sentence(_ failures: [Failure], on devices: [String]) -> String {
        let names = Set(devices.map { String($0.split(separator: "/").last ?? "") })
        var ranges: [(device: String, sectors: Range<UInt64>)] = []
        for failure in failures.filter({ names.contains($0.device) })
            .sorted(by: { ($0.device, $0.sectors.lowerBound) < ($1.device, $1.sectors.lowerBound) })
        {
            if let last = ranges.last, last.device == failure.device,
                failure.sectors.lowerBound <= last.sectors.upperBound
            {
                ranges[ranges.count - 1].sectors =
                    last.sectors.lowerBound..<max(last.sectors.upperBound, failure.sectors.upperBound)
            } else {
                ranges.append((failure.device, failure.sectors))
            }
        }
        guard !ranges.isEmpty else { return "" }
        // A request may be for a megabyte, and the log has where it began alone.
        let shown = ranges.prefix(4).map { "/dev/\($0.device) from byte \($0.sectors.lowerBound * sectorBytes) on" }
        return "The kernel could not read or write \(shown.joined(separator: ", "))"
            + (ranges.count > 4 ? ", nor at \(ranges.count - 4) more places." : ".")
    }
}
