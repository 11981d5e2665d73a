import Fixtures
import SalvorImage
import SystemPackage

/// The enrolment token on a rescue VM's config disk, read while the VM is there: with it a test can look for it in all
/// that is left.
struct ConfigDiskToken: Sendable {
    let bytes: [UInt8]

    /// Reads it from the config disk below a state folder.
    init(below state: FilePath) async throws {
        guard let disk = try FolderContents.files(in: state).first(where: { $0.lastComponent == "config.img" }) else {
            throw FixtureError("there is no config disk below \(state)")
        }
        let message = try await ToolRunner().output(
            "mcopy", ["-i", disk.string, "::/\(ConfigDisk.bootstrapName)", "-"])
        guard let token = Self.field(6, of: message), token.count == 32 else {
            throw FixtureError("the bootstrap data on \(disk) holds no token of 32 bytes")
        }
        bytes = token
    }

    /// A length-delimited field of a protobuf message whose fields all have numbers below 16
    /// (Protocol/salvor/v1/bootstrap.proto).
    private static func field(_ number: UInt8, of message: [UInt8]) -> [UInt8]? {
        var rest = message[...]
        func varint() -> Int? {
            var value = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                guard let byte = rest.popFirst() else { return nil }
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while let tag = rest.popFirst() {
            guard let value = varint() else { return nil }
            guard tag & 7 == 2 else { continue }
            let content = Array(rest.prefix(value))
            if tag >> 3 == number { return content }
            rest = rest.dropFirst(value)
        }
        return nil
    }
}
