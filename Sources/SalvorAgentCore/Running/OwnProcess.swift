internal import CLinux
internal import Glibc

/// Before the first thread: work on disks takes a thread for each, and they would keep memory for themselves.
package func shareMemoryBetweenThreads() { salvor_few_arenas() }

/// Processors that this process may use.
package func availableProcessors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

/// Of the whole machine.
package func physicalMemoryBytes() -> UInt64 {
    UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
}

/// The most memory that this process has had resident at once, in KiB; nil where /proc does not say.
func peakResidentKibibytes() -> Int? {
    guard let bytes = contents(ofFile: "/proc/self/status") else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "VmHWM:".utf8) {
        return Int(String(decoding: line.filter { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
    return nil
}
