internal import CHivex
internal import Glibc

/// A registry hive, read by libhivex from memory.
package struct Hive: ~Copyable {
    let handle: OpaquePointer

    /// A key, for as long as the hive is open.
    package struct Key: Hashable, Sendable {
        let node: hive_node_h
    }

    /// - Parameter file: a closed hive, open for reading; it is not read into memory.
    /// - Throws: ``HiveError`` when libhivex finds the hive's structure damaged.
    package init(openFile file: Int32) throws(HiveError) {
        guard let handle = hivex_open("/proc/self/fd/\(file)", 0) else {
            throw Self.failure("Its structure is damaged")
        }
        self.handle = handle
    }

    /// - Parameter isEdited: what ``commit()`` gives holds the changes that are made.
    /// - Throws: ``HiveError`` when libhivex finds the hive's structure damaged.
    package init(_ bytes: [UInt8], isEdited: Bool = false) throws(HiveError) {
        let file = try MemoryFile(bytes)
        guard let handle = hivex_open(file.path, isEdited ? Int32(HIVEX_OPEN_WRITE) : 0) else {
            throw Self.failure("Its structure is damaged")
        }
        self.handle = handle
    }

    deinit { hivex_close(handle) }

    /// - Parameter path: keys below the root, without regard to case; empty for the root.
    /// - Returns: nil where one is missing.
    package borrowing func key(_ path: [String], below parent: Key? = nil) -> Key? {
        var node = parent?.node ?? hivex_root(handle)
        for name in path {
            guard node != 0 else { return nil }
            node = hivex_node_get_child(handle, node, name)
        }
        return node == 0 ? nil : Key(node: node)
    }

    /// Keys below a key, at most `limit`.
    package borrowing func children(of key: Key, limit: Int = 10_000) -> [Key] {
        guard let nodes = hivex_node_children(handle, key.node) else { return [] }
        defer { free(nodes) }
        var keys: [Key] = []
        while keys.count < limit, nodes[keys.count] != 0 { keys.append(Key(node: nodes[keys.count])) }
        return keys
    }

    package borrowing func name(of key: Key) -> String? { take(hivex_node_name(handle, key.node)) }

    /// A value of type REG_SZ or REG_EXPAND_SZ.
    package borrowing func text(_ name: String, of key: Key) -> String? {
        guard let (value, type) = value(name, of: key), type == hive_t_REG_SZ || type == hive_t_REG_EXPAND_SZ else {
            return nil
        }
        return take(hivex_value_string(handle, value))
    }

    /// A value of type REG_DWORD.
    package borrowing func number(_ name: String, of key: Key) -> UInt32? {
        guard let (value, type) = value(name, of: key), type == hive_t_REG_DWORD else { return nil }
        errno = 0
        let number = hivex_value_dword(handle, value)
        return number == -1 && errno != 0 ? nil : UInt32(bitPattern: number)
    }

    /// A value of type REG_MULTI_SZ.
    package borrowing func texts(_ name: String, of key: Key) -> [String]? {
        guard let (value, type) = value(name, of: key), type == hive_t_REG_MULTI_SZ,
            let texts = hivex_value_multiple_strings(handle, value)
        else { return nil }
        defer { free(texts) }
        var result: [String] = []
        var index = 0
        while let text = texts[index] {
            result.append(String(cString: text))
            free(text)
            index += 1
        }
        return result
    }

    /// A value of any type, as its bytes lie in the hive.
    package borrowing func data(_ name: String, of key: Key) -> RegistryValue? {
        guard let (value, type) = value(name, of: key) else { return nil }
        return data(value, type)
    }

    borrowing func data(_ value: hive_value_h, _ type: hive_type) -> RegistryValue? {
        var type = type
        var length = 0
        guard let bytes = hivex_value_value(handle, value, &type, &length) else { return nil }
        defer { free(bytes) }
        return RegistryValue(
            type: type.rawValue, bytes: UnsafeBufferPointer(start: bytes, count: length).map { UInt8(bitPattern: $0) })
    }

    package borrowing func hasValue(_ name: String, of key: Key) -> Bool { value(name, of: key) != nil }

    borrowing func value(_ name: String, of key: Key) -> (hive_value_h, hive_type)? {
        let value = hivex_node_get_value(handle, key.node, name)
        guard value != 0 else { return nil }
        var type = hive_t_REG_NONE
        var length = 0
        guard hivex_value_type(handle, value, &type, &length) == 0 else { return nil }
        return (value, type)
    }

    private borrowing func take(_ text: UnsafeMutablePointer<CChar>?) -> String? {
        guard let text else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    static func failure(_ what: String) -> HiveError {
        HiveError("\(what) (\(String(cString: strerror(errno)))).")
    }
}
