internal import COpenSSL
internal import NIOCore

/// One connection's TLS, without its I/O: bytes of the network in ``receive(_:)``, bytes for it out of ``takeOutbound()``.
/// Belongs to one event loop.
final class TLSSession {
    /// Plain and encrypted bytes move in buffers of at most this: beyond 128 KiB glibc would map and unmap each buffer.
    static let bufferByteCount = 64 << 10
    /// What is written at once fits such a buffer when it is encrypted: a record of 16 KiB becomes 22 bytes longer.
    static let pieceByteCount = bufferByteCount - 128
    private static let recordByteCount = 16 << 10
    private static let recordOverhead = 22

    enum ReadResult {
        case bytes(Int)
        /// There is nothing until more arrives.
        case needsMore
        /// The peer said that it sends no more.
        case closed
    }

    let context: TLSContext
    /// Set by the verification callback.
    var peerCertificate: Certificate?
    var verificationFailure: TransportError?
    private(set) var isEstablished = false

    private let ssl: OpaquePointer
    private let allocator: ByteBufferAllocator
    /// As they came: to join them would copy what is left of one for every one.
    private var inbound: CircularBuffer<ByteBuffer> = []
    fileprivate var inboundEnded = false
    private var outbound: [ByteBuffer] = []
    /// How many bytes are about to be sent, as far as is known.
    private var expectedOutbound = 0

    init(_ context: TLSContext, allocator: ByteBufferAllocator) throws(TransportError) {
        guard let ssl = SSL_new(context.context), let bio = BIO_new(BufferBIO.method.pointer) else {
            throw .openSSL("start a TLS connection")
        }
        self.context = context
        self.ssl = ssl
        self.allocator = allocator
        // Not retained: the BIO and the SSL live no longer than this object, which frees them.
        let me = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, me)
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, me)
        switch context.configuration.role {
        case .client: SSL_set_connect_state(ssl)
        case .server: SSL_set_accept_state(ssl)
        }
    }

    deinit { SSL_free(ssl) }

    /// The session that a callback is about.
    static func of(_ ssl: OpaquePointer) -> TLSSession? {
        SSL_get_ex_data(ssl, 0).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: The network's side

    func receive(_ bytes: ByteBuffer) { inbound.append(bytes) }

    fileprivate var hasInbound: Bool { !inbound.isEmpty }

    /// Moves what there is, as far as it fits.
    fileprivate func takeInbound(into space: UnsafeMutableRawBufferPointer) -> Int {
        var count = 0
        while count < space.count, let index = inbound.indices.first {
            let rest = UnsafeMutableRawBufferPointer(rebasing: space[count...])
            count += inbound[index].readWithUnsafeReadableBytes { readable in
                let fitting = UnsafeRawBufferPointer(rebasing: readable.prefix(rest.count))
                rest.copyMemory(from: fitting)
                return fitting.count
            }
            if inbound[index].readableBytes == 0 { inbound.removeFirst() }
        }
        return count
    }

    /// The network has no more bytes.
    func receiveEnd() { inboundEnded = true }

    func takeOutbound() -> [ByteBuffer] {
        let taken = outbound
        outbound = []
        return taken
    }

    fileprivate func send(_ bytes: UnsafeRawBufferPointer) {
        if let last = outbound.indices.last, outbound[last].writableBytes >= bytes.count {
            outbound[last].writeBytes(bytes)
        } else {
            var buffer = allocator.buffer(capacity: max(bytes.count, min(expectedOutbound, Self.bufferByteCount)))
            buffer.writeBytes(bytes)
            outbound.append(buffer)
        }
    }

    // MARK: The application's side

    /// Goes on with the handshake.
    /// - Returns: what was settled, once; nil while it needs more bytes.
    func handshake() throws(TransportError) -> TLSHandshake? {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        guard result == 1 else {
            if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return nil }
            throw failure()
        }
        let name = selectedProtocol()
        let configuration = context.configuration
        if !configuration.applicationProtocols.isEmpty, name == nil {
            throw TransportError(
                .noCommonProtocol,
                "the peer did not agree on any of \(configuration.applicationProtocols.map(\.name)); it was refused")
        }
        // OpenSSL was told to insist on a certificate; this is to be sure.
        if context.requiresPeerCertificate(for: name), peerCertificate == nil {
            throw TransportError(
                .noCertificate, "the peer shows no certificate, which \(name ?? "") needs; it was refused")
        }
        isEstablished = true
        return TLSHandshake(applicationProtocol: name, peerCertificate: peerCertificate)
    }

    /// A buffer for what can be read now.
    func bufferForReading() -> ByteBuffer {
        // What OpenSSL has of a record, it does not tell.
        let encrypted = inbound.reduce(Self.recordByteCount) { $0 + $1.readableBytes }
        return allocator.buffer(capacity: min(encrypted, Self.bufferByteCount))
    }

    /// Decrypts into `buffer`, at most what fits into it: it has room.
    func read(into buffer: inout ByteBuffer) throws(TransportError) -> ReadResult {
        ERR_clear_error()
        var result: Int32 = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { space in
            result = SSL_read(ssl, space.baseAddress, Int32(clamping: space.count))
            return Int(max(0, result))
        }
        if result > 0 { return .bytes(Int(result)) }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsMore
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw failure()
        }
    }

    /// Encrypts. Everything is taken: what comes of it is in ``takeOutbound()``.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) {
        var rest = bytes
        expectedOutbound = bytes.count + (bytes.count / Self.recordByteCount + 1) * Self.recordOverhead
        defer { expectedOutbound = 0 }
        while let base = rest.baseAddress, !rest.isEmpty {
            ERR_clear_error()
            let result = SSL_write(ssl, base, Int32(clamping: rest.count))
            guard result > 0 else { throw failure() }
            rest = UnsafeRawBufferPointer(rebasing: rest[Int(result)...])
        }
    }

    /// Says that this side sends no more.
    func close() {
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Changes this side's traffic key, and asks the peer to change its own.
    func updateKeys() {
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
    }

    private func selectedProtocol() -> String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    private func failure() -> TransportError {
        let errors = OpenSSLErrors.drain()
        if let verificationFailure { return verificationFailure }
        // A cipher is chosen with the first hello of a peer.
        return TransportError(tls: errors, isTLS: SSL_get_pending_cipher(ssl) != nil, isEstablished: isEstablished)
    }
}

/// A BIO that reads from, and writes to, the buffers of a ``TLSSession``. 1.4 times as fast as two memory BIOs.
private enum BufferBIO {
    // @unchecked: made once, never changed, never freed.
    struct Method: @unchecked Sendable { let pointer: OpaquePointer? }

    static let method: Method = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "SwiftNIO buffers")
        BIO_meth_set_create(method) { bio in
            BIO_set_init(bio, 1)
            return 1
        }
        BIO_meth_set_read(method) { bio, bytes, count in
            guard let bio, let bytes, let session = BufferBIO.session(of: bio) else { return -1 }
            salvor_BIO_clear_retry_flags(bio)
            guard session.hasInbound else {
                if session.inboundEnded { return 0 }
                salvor_BIO_set_retry_read(bio)
                return -1
            }
            return Int32(session.takeInbound(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))))
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let bio, let bytes, let session = BufferBIO.session(of: bio) else { return -1 }
            salvor_BIO_clear_retry_flags(bio)
            session.send(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH: return 1
            case BIO_CTRL_EOF:
                guard let bio, let session = BufferBIO.session(of: bio) else { return 1 }
                return session.inboundEnded && !session.hasInbound ? 1 : 0
            default: return 0
            }
        }
        return Method(pointer: method)
    }()

    static func session(of bio: OpaquePointer) -> TLSSession? {
        BIO_get_data(bio).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }
}
