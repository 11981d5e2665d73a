internal import SalvorImage
internal import SystemPackage

/// An NTFS volume as a plain file, made by mkntfs and filled through ntfs-3g. No loop device is needed, and no root:
/// Debian's ntfs-3g and umount are set-user-ID, and mount a user's own files for that user.
enum NTFSVolume {
    /// Formats `image`, an existing file of the right size, and fills it.
    /// - Parameters:
    ///   - startSector: where the volume lies on its disk; Windows' boot code finds it by this.
    ///   - scratch: a folder for what is needed on the way.
    static func make(
        _ spec: NTFSSpec, at image: FilePath, startSector: UInt64, sectorBytes: Int = 512,
        scratch: FilePath, tools: ToolRunner
    ) async throws {
        try await tools.output(
            "mkntfs",
            [
                "-F", "-Q", "-q", "-T", "-L", spec.label, "-s", String(sectorBytes), "-c", "4096", "-p",
                String(startSector), "-H",
                "255",
                "-S", "63", image.string,
            ])
        let staging = scratch.appending("staging")
        try stage(spec.files, in: staging)
        let attributes = scratch.appending("attributes")
        try Posix.write(Array(dump(spec.files).utf8), to: attributes)
        try await withMounted(
            image, options: "rw,noatime,big_writes", scratch: scratch, tools: tools,
            script: """
                cp -r -P --no-preserve=all "$3"/. "$2"/
                cd "$2"
                setfattr -h --restore="$4"
                """,
            arguments: [staging.string, attributes.string])
        Posix.removeTree(staging)
        Posix.removeTree(attributes)
        switch spec.state {
        case .clean: break
        case .logOpen: try RawNTFS(image).openLog(version: 2)
        case .oldLogOpen: try RawNTFS(image).openLog(version: 1)
        case .dirtyBit: try RawNTFS(image).setDirtyBit()
        }
    }

    /// Mounts `image`, runs a shell script with the mount point as `$2` and `arguments` from `$3` on, and unmounts.
    ///
    /// ntfs-3g stays in the foreground and is waited for: on a plain file, umount returns before it has written all.
    /// - Returns: what the script wrote.
    @discardableResult
    static func withMounted(
        _ image: FilePath, options: String, scratch: FilePath, tools: ToolRunner, script: String,
        arguments: [String] = []
    ) async throws -> [UInt8] {
        let mountPoint = scratch.appending("mount")
        try Posix.makeDirectories(mountPoint)
        let program = """
            set -e
            ntfs-3g -n -o no_detach,\(options) "$1" "$2" >&2 &
            ntfs=$!
            trap 'cd /; if mountpoint -q "$2"; then umount "$2"; fi; wait $ntfs' EXIT
            until mountpoint -q "$2"; do
                kill -0 $ntfs || exit 90
                sleep 0.01
            done
            (
            \(script)
            )
            """
        let output = try await tools.output(
            "sh", ["-c", program, "sh", image.string, mountPoint.string] + arguments, outputLimit: 256 << 20)
        Posix.removeTree(mountPoint)
        return output
    }

    /// Lays the files out below `staging`; junctions become folders at first.
    private static func stage(_ files: [FileSpec], in staging: FilePath) throws {
        try Posix.makeDirectories(staging)
        for file in files {
            let path = staging.pushing(FilePath(file.path))
            try Posix.makeDirectories(path.removingLastComponent())
            switch file.content {
            case .folder, .junction: try Posix.makeDirectories(path)
            case .symlink(let target): try Posix.replaceSymlink(path, target: target)
            case .bytes, .noise, .zeroes: try Posix.write(file.bytes ?? [], to: path)
            }
        }
    }

    /// The files' times and reparse points in the form that `setfattr --restore` reads.
    private static func dump(_ files: [FileSpec]) -> String {
        var times: [String: NTFSTimes] = [:]
        var text = ""
        for file in files {
            // Folders that come into being on the way have the time of the installation.
            let components = file.path.split(separator: "/")
            for count in 1..<max(components.count, 1) {
                let parent = components.prefix(count).joined(separator: "/")
                if times[parent] == nil { times[parent] = .installed }
            }
            if case .symlink = file.content { continue }
            times[file.path] = file.times
        }
        for (path, value) in times.sorted(by: { $0.key < $1.key }) {
            text += "# file: \(path)\nsystem.ntfs_times_be=0x"
            for time in [value.created, value.modified, value.accessed] { text += hexadecimal(time) }
            text += "\n\n"
        }
        for file in files {
            guard case .junction(let target) = file.content else { continue }
            let bytes = junction(target).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            text += "# file: \(file.path)\nsystem.ntfs_reparse_data=0x\(bytes)\n\n"
        }
        return text
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// A mount-point reparse buffer ([MS-FSCC] 2.1.2.5).
    private static func junction(_ target: String) -> [UInt8] {
        let substitute = Array("\\??\\\(target)".utf16)
        let printed = Array(target.utf16)
        let names = substitute + [0] + printed + [0]
        var bytes = [UInt8](repeating: 0, count: 16 + 2 * names.count)
        bytes.put(UInt32(0xA000_0003), at: 0)
        bytes.put(UInt16(8 + 2 * names.count), at: 4)
        bytes.put(UInt16(0), at: 8)
        bytes.put(UInt16(2 * substitute.count), at: 10)
        bytes.put(UInt16(2 * substitute.count + 2), at: 12)
        bytes.put(UInt16(2 * printed.count), at: 14)
        for (index, unit) in names.enumerated() { bytes.put(unit, at: 16 + 2 * index) }
        return bytes
    }
}
