/// Finds the Windows installation of a volume: the folder below the root that holds `System32\config\SYSTEM`.
enum WindowsDetection {
    static let systemRoot = "Windows"
    static let hive = ["Windows", "System32", "config", "SYSTEM"]

    /// - Returns: the system root as the disk spells it; nil where there is none.
    /// - Throws: ``AgentError/Code/ambiguousPath``, ``AgentError/Code/linkInPath``, ``AgentError/Code/unreadable``.
    static func systemRoot(_ resolver: inout PathResolver) throws(AgentError) -> [FileName]? {
        guard let hive = try resolver.resolve(hive) else { return nil }
        return Array(hive.prefix(1))
    }
}
