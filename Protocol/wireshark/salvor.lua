-- Shows the Salvor wire, version 1 (../SPEC.md), in Wireshark and tshark, where the TLS below it can be read:
--   SSLKEYLOGFILE=keys …  then  tshark -r capture.pcapng -X lua_script:salvor.lua -o tls.keylog_file:keys -Y salvor
local salvor = Proto("salvor", "Salvor")

local types = {
    [0] = "reserved", [1] = "SETTINGS", [2] = "HEADERS", [3] = "MESSAGE", [4] = "TRAILERS", [5] = "RESET",
    [6] = "WINDOW", [7] = "PING", [8] = "GOAWAY",
}
local settings = {
    [1] = "MAX_CONCURRENT_STREAMS", [2] = "INITIAL_STREAM_WINDOW", [3] = "INITIAL_CONNECTION_WINDOW",
    [4] = "MAX_FRAME_PAYLOAD", [5] = "MAX_MESSAGE", [6] = "MAX_HEADER_BLOCK", [7] = "MAX_METADATA_ENTRIES",
    [8] = "COMPRESSION",
}
local errors = {
    [0] = "NONE", [1] = "PROTOCOL", [2] = "INTERNAL", [3] = "FLOW_CONTROL", [4] = "FRAME_SIZE", [5] = "REFUSED",
    [6] = "CANCELLED", [7] = "DEADLINE", [8] = "TOO_LARGE", [9] = "COMPRESSION", [10] = "UNSUPPORTED",
    [11] = "EXCESSIVE", [12] = "TIMEOUT", [13] = "VERSION",
}
local statuses = {
    [0] = "OK", [1] = "CANCELLED", [2] = "UNKNOWN", [3] = "INVALID_ARGUMENT", [4] = "DEADLINE_EXCEEDED",
    [5] = "NOT_FOUND", [6] = "ALREADY_EXISTS", [7] = "PERMISSION_DENIED", [8] = "RESOURCE_EXHAUSTED",
    [9] = "FAILED_PRECONDITION", [10] = "ABORTED", [11] = "OUT_OF_RANGE", [12] = "UNIMPLEMENTED", [13] = "INTERNAL",
    [14] = "UNAVAILABLE", [15] = "DATA_LOSS", [16] = "UNAUTHENTICATED",
}

local f = {
    version = ProtoField.uint16("salvor.version", "Version"),
    length = ProtoField.uint32("salvor.length", "Length"),
    type = ProtoField.uint8("salvor.type", "Type", base.DEC, types),
    flags = ProtoField.uint8("salvor.flags", "Flags", base.HEX),
    more = ProtoField.bool("salvor.flags.more", "MORE", 8, nil, 1),
    compressed = ProtoField.bool("salvor.flags.compressed", "COMPRESSED", 8, nil, 2),
    last = ProtoField.bool("salvor.flags.end", "END", 8, nil, 4),
    no_data = ProtoField.bool("salvor.flags.no_data", "NO_DATA", 8, nil, 8),
    ack = ProtoField.bool("salvor.flags.ack", "ACK", 8, nil, 1),
    stream = ProtoField.uint32("salvor.stream", "Stream"),
    payload = ProtoField.bytes("salvor.payload", "Payload"),
    setting = ProtoField.uint16("salvor.setting", "Setting", base.DEC, settings),
    value = ProtoField.uint32("salvor.setting.value", "Value"),
    timeout = ProtoField.uint64("salvor.timeout", "Timeout (ns)"),
    path = ProtoField.string("salvor.path", "Path"),
    key = ProtoField.string("salvor.metadata.key", "Key"),
    text = ProtoField.string("salvor.metadata.value", "Value"),
    binary = ProtoField.bytes("salvor.metadata.binary", "Value"),
    status = ProtoField.uint32("salvor.status", "Status", base.DEC, statuses),
    message = ProtoField.string("salvor.message", "Message"),
    error = ProtoField.uint32("salvor.error", "Error", base.DEC, errors),
    increment = ProtoField.uint32("salvor.increment", "Increment"),
    opaque = ProtoField.bytes("salvor.ping", "Opaque"),
    last_stream = ProtoField.uint32("salvor.last_stream", "Last stream"),
}
for _, field in pairs(f) do table.insert(salvor.fields, field) end

-- H-3. Returns where the block ends.
local function metadata(block, at, tree)
    local count = block(at, 2):uint()
    at = at + 2
    for _ = 1, count do
        local length = block(at, 1):uint()
        local key = block(at + 1, length)
        local size = block(at + 1 + length, 4):uint()
        local entry = tree:add(salvor, block(at, 5 + length + size), key:string())
        entry:add(f.key, key)
        if size > 0 then
            local value = block(at + 5 + length, size)
            if key:string():sub(-4) == "-bin" then entry:add(f.binary, value) else entry:add(f.text, value) end
        end
        at = at + 5 + length + size
    end
    return at
end

-- A request of the caller's (H-1) begins with a timeout and a path; a response (H-8) is metadata alone.
local function headers(block, tree)
    local length = block:len() > 9 and block(8, 1):uint() or 0
    if length >= 3 and block:len() >= 11 + length and block(9, length):string():match("^[%w_%.]+/[%w_%.]+$") then
        tree:add(f.timeout, block(0, 8))
        tree:add(f.path, block(9, length))
        metadata(block, 9 + length, tree)
        return " " .. block(9, length):string()
    end
    metadata(block, 0, tree)
    return " response"
end

local readers = {
    [1] = function(block, tree)
        for at = 0, block:len() - 6, 6 do
            local entry = tree:add(f.setting, block(at, 2))
            entry:add(f.value, block(at + 2, 4))
        end
    end,
    [2] = headers,
    [3] = function(block, tree) if block:len() > 0 then tree:add(f.payload, block()) end end,
    [4] = function(block, tree)
        local length = block(4, 2):uint()
        tree:add(f.status, block(0, 4))
        if length > 0 then tree:add(f.message, block(6, length)) end
        metadata(block, 6 + length, tree)
        return " " .. (statuses[block(0, 4):uint()] or "UNKNOWN")
    end,
    [5] = function(block, tree)
        tree:add(f.error, block(0, 4))
        return " " .. (errors[block(0, 4):uint()] or "?")
    end,
    [6] = function(block, tree) tree:add(f.increment, block(0, 4)) end,
    [7] = function(block, tree) tree:add(f.opaque, block(0, 8)) end,
    [8] = function(block, tree)
        tree:add(f.last_stream, block(0, 4))
        tree:add(f.error, block(4, 4))
        if block:len() > 8 then tree:add(f.message, block(8)) end
        return " " .. (errors[block(4, 4):uint()] or "?")
    end,
}

local function frame(block, tree)
    local type, id = block(4, 1):uint(), block(6, 4):uint()
    local name = types[type] or ("type " .. type)
    local part = tree:add(salvor, block, name)
    part:add(f.length, block(0, 4))
    part:add(f.type, block(4, 1))
    local flags = part:add(f.flags, block(5, 1))
    if type == 3 then
        for _, field in ipairs({ f.more, f.compressed, f.last, f.no_data }) do flags:add(field, block(5, 1)) end
    elseif type == 7 then
        flags:add(f.ack, block(5, 1))
    end
    part:add(f.stream, block(6, 4))
    local payload = block:len() > 10 and block(10):tvb() or nil
    local more = ""
    if payload and readers[type] then
        more = readers[type](payload, part) or ""
    elseif payload then
        part:add(f.payload, payload())
    end
    return name .. (id > 0 and "[" .. id .. "]" or "") .. more
end

function salvor.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "Salvor"
    local root = tree:add(salvor, tvb())
    local said, at = {}, 0
    if tvb:len() >= 8 and tvb(0, 6):string() == "SALVOR" then
        root:add(f.version, tvb(6, 2))
        table.insert(said, "preface")
        at = 8
    end
    while at < tvb:len() do
        local left = tvb:len() - at
        local whole = left >= 10 and 10 + tvb(at, 4):uint() or nil
        if not whole or left < whole then
            -- A frame may come in several TLS records.
            pinfo.desegment_offset = at
            pinfo.desegment_len = whole and whole - left or DESEGMENT_ONE_MORE_SEGMENT
            break
        end
        table.insert(said, frame(tvb(at, whole):tvb()(), root))
        at = at + whole
    end
    -- One TCP segment may bring several TLS records.
    pinfo.cols.info = table.concat(said, ", ") .. " "
    pinfo.cols.info:fence()
    return tvb:len()
end

local alpn = DissectorTable.get("tls.alpn")
alpn:add("salvor/1", salvor)
alpn:add("salvor-enrol/1", salvor)
