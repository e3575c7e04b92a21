-- Is the configuration or the status told to a server now?
--   in    phone.event   "boot", "request", "change" (the first local change
--                       that no report has told), "mode", "timer"
--   out   { send = reports, again = { after = seconds }, reason = }
-- Source: MPP provisioning guide, Report_Rule, Report_To_Server,
-- Upload_Delay_On_Local_Change, Periodic_Upload_To_Server.

local PERIOD_MIN <const> = 600

local function seconds(text, otherwise)
  return math.tointeger(tonumber(text)) or otherwise
end

-- What is sent now: yes, and why.
local function is_due(phone, mode)
  if phone.event == "request" then
    return true, "somebody asks for it"
  elseif mode == "On Request" then
    return phone.event == "boot", "Report_To_Server is On Request"
  elseif mode == "Periodically" then
    return phone.event == "timer", "Report_To_Server is Periodically"
  end
  return phone.event == "timer" and phone.timer_for == "change",
    "Report_To_Server is On Local Change"
end

-- When it is asked again.
local function next_time(phone, mode)
  if mode == "Periodically" and phone.event ~= "request"
    and phone.event ~= "change" then
    local period = seconds(phone.param.Periodic_Upload_To_Server, 3600)
    return { after = math.max(period, PERIOD_MIN) }
  elseif mode == "On Local Change" and phone.event == "change" then
    return { after = seconds(phone.param.Upload_Delay_On_Local_Change, 60) }
  end
end

local function decide(phone)
  if not (phone.param.Report_Rule or ""):find("%S") then
    return { reason = "Report_Rule is empty" }
  end
  local mode = phone.param.Report_To_Server
  local due, reason = is_due(phone, mode)
  local again = next_time(phone, mode)
  if not due then return { reason = reason, again = again } end
  local answer, sentence, word = classic.reports(phone)
  if not answer then return nil, sentence, word end
  answer.reason = answer.reason or reason
  answer.again = again
  return answer
end

return { stage = "report", decide = decide }
