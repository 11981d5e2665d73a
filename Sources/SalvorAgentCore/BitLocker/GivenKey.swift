internal import SalvorMessages
internal import SalvorSystem

/// A key that somebody gave, in the form in which it is tried.
struct GivenKey: Sendable {
    enum Secret: Sendable {
        /// SHA-256 of the 16 bytes that the 48 digits stand for.
        case recoveryPassword(SecretBytes)
        /// Double SHA-256 of the password in UTF-16.
        case password(SecretBytes)
        /// The key in a .BEK file, and the protector that the file says it is for.
        case startupKey(SecretBytes, protector: String)
    }

    var secret: Secret
    /// Lower case; empty for any of its kind.
    var protector: String

    /// - Throws: ``AgentError/Code/invalidRequest`` for what is no key of its kind, without a word of it.
    init(_ key: Salvor_V1_VolumeKey) throws(AgentError) {
        protector = key.protectorGuid.lowercased()
        switch key.secret {
        case .recoveryPassword(let digits):
            guard let bytes = Self.recoveryKey(digits) else {
                throw .malformedKey("A recovery key has 48 digits in eight groups, each of them a multiple of 11")
            }
            secret = .recoveryPassword(try KeyStretch.digest(of: bytes))
        case .password(let text):
            guard let bytes = Self.utf16(text), bytes.count > 0 else {
                throw .malformedKey("A password is UTF-8 and not empty")
            }
            secret = .password(try KeyStretch.digest(of: KeyStretch.digest(of: bytes)))
        case .startupKey(let file):
            guard let key = Self.startupKey(file) else {
                throw .malformedKey("A startup key is what a .BEK file holds")
            }
            secret = key
        case nil: throw .malformedKey("A key was sent without a secret")
        }
    }

    /// Each group of six digits is a number of 16 bits times eleven, so that a slip of the pen shows.
    private static func recoveryKey(_ digits: some Collection<UInt8>) -> SecretBytes? {
        let groups = digits.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.count == 8 else { return nil }
        var isSound = true
        let key = SecretBytes(count: 16) { (bytes) in
            for (index, group) in groups.enumerated() {
                var number = 0
                for digit in group where isSound {
                    isSound = (0x30...0x39).contains(digit)
                    number = isSound ? min(1 << 24, 10 * number + Int(digit - 0x30)) : 0
                }
                isSound = isSound && group.count == 6 && number.isMultiple(of: 11) && number / 11 <= 0xFFFF
                guard isSound else { return }
                bytes.storeBytes(of: UInt16(number / 11).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
            }
        }
        return isSound ? key : nil
    }

    private static func utf16(_ text: some Collection<UInt8>) -> SecretBytes? {
        // No password is longer than 256 characters.
        guard text.count <= 1024 else { return nil }
        var count = 0
        let units = SecretBytes(count: 2 * text.count) { (bytes) in
            let failed = transcode(text.makeIterator(), from: UTF8.self, to: UTF16.self, stoppingOnError: true) {
                bytes.storeBytes(of: $0.littleEndian, toByteOffset: 2 * count, as: UInt16.self)
                count += 1
            }
            if failed { count = 0 }
        }
        return units.withBytes { SecretBytes($0.prefix(2 * count)) }
    }

    private static func startupKey(_ file: some Collection<UInt8>) -> Secret? {
        guard (56...4096).contains(file.count) else { return nil }
        let bytes = SecretBytes(file)
        return bytes.withBytes { bytes -> Secret? in
            guard littleEndian(bytes.prefix(4)) == UInt64(bytes.count), littleEndian(bytes[4..<8]) == 1,
                littleEndian(bytes[8..<12]) == 48
            else { return nil }
            let protector = canonicalGUID(Array(bytes[16..<32])[...])
            // One entry, an external key: its GUID and time, then what it is made of.
            let type = littleEndian(bytes[50..<52])
            guard type == FVEEntry.externalKeyType, bytes.count > 48 + 8 + 24 else { return nil }
            var rest = bytes[80...]
            while rest.count >= 8 {
                let start = rest.startIndex
                let size = Int(littleEndian(rest[start..<(start + 2)]))
                guard size >= 8, size <= rest.count else { return nil }
                if littleEndian(rest[(start + 4)..<(start + 6)]) == FVEEntry.keyValue, size == 44 {
                    return .startupKey(SecretBytes(rest[(start + 12)..<(start + 44)]), protector: protector)
                }
                rest = rest.dropFirst(size)
            }
            return nil
        }
    }
}

extension AgentError {
    fileprivate static func malformedKey(_ what: String) -> AgentError {
        AgentError(.invalidRequest, "\(what); one that was given is none. It was not tried.", next: "Correct that key.")
    }
}
