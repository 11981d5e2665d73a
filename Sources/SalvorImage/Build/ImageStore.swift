internal import SalvorDigest
internal import SystemPackage

/// Finished images in a folder, each in a folder of its own named by its digest.
///
/// A link per recipe and agent points to the newest one, so that an image is found without asking apt what is newest.
struct ImageStore: Sendable {
    let directory: FilePath

    private static let manifest = "manifest"

    /// - Returns: nil when there is none of that digest or when it is damaged.
    func image(_ digest: Digest) -> RescueImage? { image(in: directory.appending(digest.hex)) }

    /// - Returns: nil when nothing was built from that recipe and agent, or when it is damaged.
    func newest(_ key: Digest) -> RescueImage? {
        guard let name = try? Posix.destination(ofSymlink: link(key)), let digest = Digest(hex: name) else {
            return nil
        }
        return image(digest)
    }

    /// Stores an image under its digest, and as the newest of `key`.
    func store(
        digest: Digest, key: Digest, kernel: [UInt8], initramfs: [UInt8], release: String, packages: [DebianPackage]
    ) throws(ImageError) -> RescueImage {
        let folder = try Posix.makeTemporaryDirectory(in: directory, prefix: ".image-")
        defer { Posix.removeTree(folder) }
        try Posix.write(kernel, to: folder.appending("vmlinuz"))
        try Posix.write(initramfs, to: folder.appending("initramfs.cpio"))
        var text = "salvor-image 1\nrelease \(release)\n"
        text += "kernel \(SHA256.digest(of: kernel).hex) \(kernel.count)\n"
        text += "initramfs \(SHA256.digest(of: initramfs).hex) \(initramfs.count)\n"
        for package in packages { text += "package \(package.line)\n" }
        try Posix.write(Array(text.utf8), to: folder.appending(Self.manifest))

        let place = directory.appending(digest.hex)
        do throws(ImageError) {
            try Posix.rename(folder, to: place)
        } catch {
            // Another build may have been quicker, with the same bytes; what is there and damaged makes way.
            if image(digest) == nil {
                Posix.removeTree(place)
                try Posix.rename(folder, to: place)
            }
        }
        try markNewest(digest, key: key)
        guard let image = image(digest) else {
            throw ImageError(
                .inputOutput, "the image \(digest) was stored and cannot be read back",
                nextStep: "Check the disk that \(directory) lies on, then build again")
        }
        return image
    }

    func markNewest(_ digest: Digest, key: Digest) throws(ImageError) {
        try Posix.replaceSymlink(link(key), target: digest.hex)
    }

    private func link(_ key: Digest) -> FilePath { directory.appending("newest-\(key.hex)") }

    private func image(in folder: FilePath) -> RescueImage? {
        guard let digest = folder.lastComponent.flatMap({ Digest(hex: $0.string) }),
            let bytes = try? Posix.read(folder.appending(Self.manifest))
        else { return nil }
        var release: String?
        var files: [String: (sha256: Digest, bytes: Int)] = [:]
        var packages: [DebianPackage] = []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.first == "salvor-image 1" else { return nil }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return nil }
            switch words[0] {
            case "release": release = String(words[1])
            case "package":
                guard let package = DebianPackage(line: words[1]) else { return nil }
                packages.append(package)
            default:
                let values = words[1].split(separator: " ")
                guard values.count == 2, let sha256 = Digest(hex: String(values[0])), let count = Int(values[1]) else {
                    return nil
                }
                files[String(words[0])] = (sha256, count)
            }
        }
        guard let release, let kernel = files["kernel"], let initramfs = files["initramfs"] else { return nil }
        let image = RescueImage(
            kernel: folder.appending("vmlinuz"), initramfs: folder.appending("initramfs.cpio"), digest: digest,
            kernelSizeBytes: kernel.bytes, initramfsSizeBytes: initramfs.bytes, initramfsSHA256: initramfs.sha256,
            kernelRelease: release, packages: packages)
        guard (try? SHA256.digest(ofFile: image.kernel.string)) == kernel.sha256,
            (try? SHA256.digest(ofFile: image.initramfs.string)) == initramfs.sha256
        else { return nil }
        return image
    }
}
