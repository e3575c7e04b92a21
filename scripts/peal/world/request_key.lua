--- What a request of world.fetch() asks for: "GET http://192.0.2.7/a.xml",
-- "RRQ tftp://192.0.2.7/a.xml".
-- @tparam table request
-- @treturn string
return function(request)
  if request.url then
    return ("%s %s"):format(request.method or "GET", request.url)
  end
  local host = request.host:find(":", 1, true) and "[" .. request.host .. "]"
    or request.host
  local port = request.port == 69 and "" or ":" .. request.port
  return ("%s tftp://%s%s%s"):format(request.body and "WRQ" or "RRQ", host,
    port, request.path)
end
