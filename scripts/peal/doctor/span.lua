--- "3 ms", "1.2 s"
return function(seconds)
  if seconds < 1 then return ("%d ms"):format(math.ceil(seconds * 1000)) end
  return ("%.1f s"):format(seconds)
end
