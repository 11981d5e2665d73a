import Glibc
import SalvorQEMU
import SystemPackage

/// Who has a file open for writing, as far as this user may see. Blocks.
enum DiskUsers {
    /// - Returns: `qemu-system-x86 (process 4711)` and the like; nil when nobody is seen.
    static func writer(of path: FilePath) -> String? {
        guard let file = try? FileStatus(of: path) else { return nil }
        for pid in ProcessTable.pids() {
            let folder = FilePath("/proc/\(pid)/fd")
            for number in PosixFile.names(in: folder) where isWriter(pid: pid, number: number, of: file) {
                return "\(ProcessTable.name(ofPID: pid) ?? "a program") (process \(pid))"
            }
        }
        return loopDevice(over: file)
    }

    private static func isWriter(pid: Int32, number: String, of file: FileStatus) -> Bool {
        let link = FilePath("/proc/\(pid)/fd/\(number)")
        // Sockets and pipes say so in their link, which is cheaper than asking for their status.
        guard let target = PosixFile.linkTarget(link), target.hasPrefix("/"),
            let status = try? FileStatus(of: link), status.isSameFile(as: file),
            let text = try? PosixFile.read(FilePath("/proc/\(pid)/fdinfo/\(number)"), limit: 4096)
        else { return false }
        // "flags:\t0100002", octal, as for open(2).
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("flags:") {
            let digits = line.dropFirst("flags:".count).filter(\.isNumber)
            return Int32(digits, radix: 8).map { $0 & O_ACCMODE != O_RDONLY } ?? false
        }
        return false
    }

    /// A loop device holds its file inside the kernel, where no process shows it.
    private static func loopDevice(over file: FileStatus) -> String? {
        for name in PosixFile.names(in: "/sys/block") where name.hasPrefix("loop") {
            guard let text = try? PosixFile.read(FilePath("/sys/block/\(name)/loop/backing_file"), limit: 4096),
                let status = try? FileStatus(of: FilePath(String(decoding: text.prefix { $0 != 10 }, as: UTF8.self))),
                status.isSameFile(as: file),
                (try? PosixFile.read(FilePath("/sys/block/\(name)/ro"), limit: 2))?.first == UInt8(ascii: "0")
            else { continue }
            return "the loop device /dev/\(name)"
        }
        return nil
    }
}
