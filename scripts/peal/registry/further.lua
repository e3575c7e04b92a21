--- The names that public templates of MPP phones hold and the runtime itself
-- does not use: stored, typed where Yes and No leave no doubt, given on.
--
-- One table a set of names that agree in everything else. Their defaults
-- are the phone's own affair and differ by model, so they are empty here; a
-- maker states them in a registry file. Access is what the templates show.
--
-- PSK_1 to PSK_16 are programmable softkeys, not keys of a network.
-- Set_G729_annexb_n_ is text: besides Yes and No it knows "none" and "follow
-- silence supp setting".

local TEMPLATES <const> = "public MPP configuration templates"

return {
  group = "Further Parameters", source = TEMPLATES,

  -- The network: a change takes a reboot.
  { type = "Str", reboot = true, names = [[
      DNS_Query_Mode DNS_Server_Order Network_Startup_Delay PC_Port_Config
      PC_Port_VLAN_ID Switch_Port_Config
    ]] },
  { type = "Str", ua = "rw", reboot = true, names = [[
      Connection_Type Domain Gateway Host_Name NetMask Primary_DNS
      Secondary_DNS Static_IP VLAN_ID
    ]] },
  { type = "Bool", empty = true, reboot = true, names = [[
      DNS_Caching_Enable Enable_CDP Enable_LLDP-MED PC_PORT_Enable
    ]] },
  { type = "Bool", empty = true, ua = "rw", reboot = true, names = [[
      Enable_802.1X_Authentication Enable_VLAN
    ]] },

  -- Wi-Fi profiles: the phones hold four.
  { type = "Str", count = 4, reboot = true, names = [[
      anonymousIdentity_n_ cipherType_n_ clientCert_n_ eapType_n_
      frequencyMode_n_ identity_n_ profileEnable_n_ profileLock_n_
      profileName_n_ securityMode_n_ serverCert_n_ ssid_n_ ttlsAuthProto_n_
      wepKeyId_n_ wepKeyLen_n_
    ]] },
  { type = "Str", count = 4, reboot = true, secret = true, names = [[
      passphrase_n_ password_n_ pskKey_n_ wepKey0_n_ wepKey1_n_ wepKey2_n_
      wepKey3_n_ wepKey_n_
    ]] },

  -- The lines. Templates of phones with ten lines stop at 10; the phones with
  -- most lines have 16, and a number too many costs nothing.
  { type = "Str", count = 16, reboot = true, names = [[
      Alternate_Outbound_Proxy_n_ Alternate_Proxy_n_ Outbound_Proxy_n_
    ]] },
  { type = "Bool", empty = true, count = 16, names = [[
      Ans_Call_Without_Reg_n_ Auth_INVITE_n_ Auth_Page_n_
      Auto_Ans_Page_On_Active_Call_n_ Auto_Register_When_Failover_n_
      Blind_Attn-Xfer_Enable_n_ Broadsoft_ACD_n_ Call_Park_Monitor_Enable_n_
      DNS_SRV_Auto_Prefix_n_ Dual_Registration_n_ Enable_Broadsoft_Hoteling_n_
      Enable_URI_Dialing_n_ Feature_Key_Sync_n_ G722.2_Enable_n_
      G722_Enable_n_ G729a_Enable_n_ iLBC_Enable_n_ iSAC_Enable_n_
      Make_Call_Without_Reg_n_ Message_Waiting_n_ NAT_Keep_Alive_Enable_n_
      NAT_Mapping_Enable_n_ Ntfy_Refer_On_1xx-To-Inv_n_ OPUS_Enable_n_
      Refer-To_Target_Contact_n_ Register_n_ Restrict_MWI_n_
      Silence_Supp_Enable_n_ SIP_100REL_Enable_n_ SIP_Remote-Party-ID_n_
      Sticky_183_n_ Use_DNS_SRV_n_ Use_OB_Proxy_In_Dialog_n_
      Use_Outbound_Proxy_n_ Use_Pref_Codec_Only_n_ User_Equal_Phone_n_
    ]] },
  { type = "Str", count = 16, names = [[
      Auth_Page_Realm_n_ Caller_ID_Map_n_ Codec_Negotiation_n_
      Conference_Bridge_URL_n_ DTMF_Tx_Method_n_ Emergency_Number_n_
      Encryption_Method_n_ EXT_SIP_Port_n_ Hoteling_Subscription_Expires_n_
      Mailbox_ID_n_ NAT_Keep_Alive_Dest_n_ NAT_Keep_Alive_Msg_n_
      Preferred_Codec_n_ Proxy_Fallback_Intvl_n_ Proxy_Redundancy_Method_n_
      Refer_Target_Bye_Delay_n_ Referee_Bye_Delay_n_ Referor_Bye_Delay_n_
      Register_Expires_n_ Reversed_Auth_Realm_n_ RTP_TOS_DiffServ_Value_n_
      Second_Preferred_Codec_n_ Set_G729_annexb_n_ Set_iLBC_mode_n_
      Share_Ext_n_ Shared_User_ID_n_ SIP_Proxy-Require_n_
      SIP_TOS_DiffServ_Value_n_ SIP_URI_n_ Subscription_Expires_n_
      Third_Preferred_Codec_n_ Voice_Mail_Server_n_
      Voice_Mail_Subscribe_Interval_n_
    ]] },
  { type = "Str", count = 16, ua = "rw", names = [[
      Default_Ring_n_
    ]] },

  -- Line keys: 16 seen, as many as there are lines. Keys of attached units have
  -- names of their own.
  { type = "Str", count = 16, names = [[
      Extended_Function_n_ Extension_n_ Share_Call_Appearance_n_ Short_Name_n_
    ]] },
  { type = "Str", names = [[
      Unit_1_Key_1 Unit_1_Key_2 Unit_1_Key_3 Unit_1_Key_4 Unit_1_Key_5
      Unit_1_Key_6 Unit_1_Key_7 Unit_1_Key_8 Unit_1_Key_9 Unit_1_Key_10
      Unit_1_Key_11 Unit_1_Key_12 Unit_1_Key_13 Unit_1_Key_14 Unit_1_Key_15
      Unit_1_Key_16 Unit_1_Key_17 Unit_1_Key_18 Unit_1_Key_19 Unit_1_Key_20
      Unit_1_Key_21 Unit_1_Key_22 Unit_1_Key_23 Unit_1_Key_24 Unit_1_Key_25
      Unit_1_Key_26 Unit_1_Key_27 Unit_1_Key_28 Unit_1_Key_29 Unit_1_Key_30
      Unit_1_Key_31 Unit_1_Key_32 Unit_2_Key_1 Unit_2_Key_2 Unit_2_Key_3
      Unit_2_Key_4 Unit_2_Key_5 Unit_2_Key_6 Unit_2_Key_7 Unit_2_Key_8
      Unit_2_Key_9 Unit_2_Key_10 Unit_2_Key_11 Unit_2_Key_12 Unit_2_Key_13
      Unit_2_Key_14 Unit_2_Key_15 Unit_2_Key_16 Unit_2_Key_17 Unit_2_Key_18
      Unit_2_Key_19 Unit_2_Key_20 Unit_2_Key_21 Unit_2_Key_22 Unit_2_Key_23
      Unit_2_Key_24 Unit_2_Key_25 Unit_2_Key_26 Unit_2_Key_27 Unit_2_Key_28
      Unit_2_Key_29 Unit_2_Key_30 Unit_2_Key_31 Unit_2_Key_32
    ]] },
  -- Names with the place-holder of a template, "x1", as they stand there.
  { type = "Str", names = [[
      Extended_Function_x1_ Extension_x1_ Share_Call_Appearance_x1_
      Short_Name_x1_ Unit_1_Key_x1_ Unit_2_Key_x1_ Unit_3_Key_x1_
    ]] },

  -- Passwords of services.
  { type = "Str", secret = true, names = [[
      ACS_Password BACKUP_ACS_Password Connection_Request_Password
      Directory_Password LDAP_Password XMPP_Password
    ]] },
  { type = "Str", count = 16, secret = true, names = [[
      Auth_Page_Password_n_ Login_Password_n_
    ]] },

  -- The phone.
  { type = "Bool", empty = true, names = [[
      ACD_Login_Serv Attn_Transfer_Serv Auto_Answer_Page Blind_Transfer_Serv
      Block_ANC_Serv Block_CID_Serv BXfer_On_Speed_Dial_Enable
      BXfer_To_Starcode_Enable Call_Park_Serv Call_Pick_Up_Serv
      Call_Pickup_Audio_Notification Cfwd_All_Serv Cfwd_Busy_Serv
      Cfwd_No_Ans_Serv Conference_Package Conference_Serv CWMP_V1.2_Support
      Daylight_Saving_Time_Enable Dial_Assistance Dialog_SDP_Enable
      Directory_Enable Disable_Local_Name_To_Header
      Display_Anonymous_From_Header Display_Diversion_Info DND_Serv
      Ehook_Enable EM_Enable Enable_TR-069 Escape_Display_Name
      Group_Call_Pick_Up_Serv Handle_VIA_received Hold_Package
      Hold_Target_Before_Refer Ignore_DHCP_Time_Offset Insert_VIA_received
      Keep_Referee_When_Refer_Failed LDAP_Dir_Enable
      Log_Missed_Calls_for_EXT_1 Log_Missed_Calls_for_EXT_2
      Log_Missed_Calls_for_EXT_3 Log_Missed_Calls_for_EXT_4
      Log_Missed_Calls_for_EXT_5 Log_Missed_Calls_for_EXT_6
      Log_Missed_Calls_for_EXT_7 Log_Missed_Calls_for_EXT_8
      Log_Missed_Calls_for_EXT_9 Log_Missed_Calls_for_EXT_10
      Miss_Call_Shortcut Paging_Serv Periodic_Inform_Enable
      Programmable_Softkey_Enable Random_REG_CID_on_Reboot Redirect_Keep_Alive
      Remove_Last_Reg RFC_2543_Call_Hold SCA_Barge-In-Enable
      SCA_Sticky_Auto_Line_Seize Secure_Call_Serv Secure_Call_Setting
      Send_Resp_To_Src_Port Service_Annc_Serv Shared_Line_DND_Cfwd_Enable
      STUN_Test_Enable Substitute_VIA_Addr Talk_Package TR-069_DHCPOption_Init
      TR-069_Fallback_Support TR-069_Traceability TR-069_VoiceObject_Init
      Use_Compact_Header Use_Line_Keys_For_BLF_List
    ]] },
  { type = "Bool", empty = true, ua = "rw", names = [[
      Alert_Tone_Off Block_ANC_Setting Block_CID_Setting Cfwd_Setting
      DND_Setting Screen_Saver_Enable
    ]] },
  { type = "Str", names = [[
      Accept_Last_Act_Code Accept_Last_Deact_Code ACS_URL ACS_Username
      Alert_Tone Asset_ID Attendant_Console_Call_Pickup_Code
      Attendant_Console_LCD_Brightness Attn-Xfer_Act_Code AVT_Codec_Name
      AVT_Dynamic_Payload BACKUP_ACS_URL BACKUP_ACS_User
      BLF_Label_Display_Mode BLF_List_URI Blind_Transfer_Code
      Block_ANC_Act_Code Block_ANC_Deact_Code Block_CID_Act_Code
      Block_CID_Deact_Code Block_CID_Per_Call_Act_Code
      Block_CID_Per_Call_Deact_Code Block_Last_Act_Code Block_Last_Deact_Code
      Bluetooth_Mode Busy_Tone Cadence_1 Cadence_2 Cadence_3 Cadence_4
      Cadence_5 Cadence_6 Cadence_7 Cadence_8 Cadence_9
      Call_Appearances_Per_Line Call_Back_Act_Code Call_Back_Busy_Act_Code
      Call_Back_Deact_Code Call_Park_Code Call_Pickup_Code Call_Pickup_Tone
      Call_Redial_Code Call_Return_Code Call_Unpark_Code Call_Waiting_Tone
      Caller_ID_Header Cfwd_All_Act_Code Cfwd_All_Deact_Code
      Cfwd_Busy_Act_Code Cfwd_Busy_Deact_Code Cfwd_Dial_Tone
      Cfwd_Last_Act_Code Cfwd_Last_Deact_Code Cfwd_No_Ans_Act_Code
      Cfwd_No_Ans_Deact_Code CID_Act_Code CID_Deact_Code Conference_Act_Code
      Conference_Tone Conferencing_Key_List Confirm_Tone Connected_Key_List
      Connection_Request_Username Countdown_Timer_s_ CW_Act_Code CW_Deact_Code
      CW_Per_Call_Act_Code CW_Per_Call_Deact_Code CWCID_Act_Code
      CWCID_Deact_Code Date_Format Daylight_Saving_Time_Rule Dial_Tone
      Dialing_Input_Key_List Dictionary_Server_Script Directory_Name
      Directory_Type Directory_User_ID Dist_Ring_Act_Code
      Display_Off_Idle_Timeout__mins_ Dist_Ring_Deact_Code DND_Act_Code
      DND_Deact_Code DTMF_Relay_MIME_Type EM_User_Domain EXT_IP
      EXT_RTP_Port_Min FAX_Line_Toggle_Code Feature_Dial_Services_Codes
      Force_G711a_Code Force_G711u_Code Force_G722.2_Code Force_G722_Code
      Force_G729a_Code Force_iLBC_Code Force_ISAC_Code Force_OPUS_Code
      G711a_Codec_Name G711u_Codec_Name G722.2_Codec_Name
      G722.2_Dynamic_Payload G722_Codec_Name G729a_Codec_Name G729b_Codec_Name
      Group_Call_Pickup_Code Group_Paging_Script Handle_VIA_rport
      Hold_Key_List Holding_Tone Hook_Flash_MIME_Type Idle_Key_List
      iLBC_Codec_Name iLBC_Dynamic_Payload Inactivity_Timer_m_
      INFOREQ_Dynamic_Payload Insert_VIA_rport Interdigit_Long_Timer
      Interdigit_Short_Timer INVITE_Expires iSAC_Codec_Name
      iSAC_Dynamic_Payload Language_Selection LDAP_Auth_Method LDAP_Client_DN
      LDAP_Corp_Dir_Name LDAP_Display_Attrs LDAP_First_Name_Filter
      LDAP_Item_3_Filter LDAP_Item_4_Filter LDAP_Last_Name_Filter
      LDAP_Number_Mapping LDAP_Search_Base LDAP_Search_Item_3
      LDAP_Search_Item_4 LDAP_Server LDAP_Username Line Line_ID_Mapping Locale
      Logo_Type Max_Auth Max_Forward Max_Redirection Max_RTP_ICMP_Err
      Media_Loopback_Code Missed_Call_Key_List Modem_Line_Toggle_Code
      MWI_Dial_Tone NAT_Keep_Alive_Intvl Number_of_Units Off_Hook_Key_List
      Off_Hook_Warning_Tone OPUS_Codec_Name OPUS_Dynamic_Payload
      Outside_Dial_Tone Page_Tone Paging_Code Periodic_Inform_Interval
      Phone_Background Prefer_G711a_Code Prefer_G711u_Code Prefer_G722.2_Code
      Prefer_G722_Code Prefer_G729a_Code Prefer_iLBC_Code Prefer_ISAC_Code
      Prefer_OPUS_Code Preferred_Audio_Device Progressing_Key_List Prompt_Tone
      PSK_1 PSK_2 PSK_3 PSK_4 PSK_5 PSK_6 PSK_7 PSK_8 PSK_9 PSK_10 PSK_11
      PSK_12 PSK_13 PSK_14 PSK_15 PSK_16 Referral_Services_Codes
      Reg_Max_Expires Reg_Min_Expires Reg_Retry_Intvl Reg_Retry_Intvl_Cap
      Reg_Retry_Long_Intvl Reg_Retry_Long_Random_Delay Reg_Retry_Random_Delay
      ReINVITE_Expires Releasing_Key_List Reorder_Delay Reorder_Tone
      Retry_Reg_RSC Ring1 Ring2 Ring3 Ring4 Ring5 Ring6 Ring7 Ring8 Ring9
      Ring10 Ring11 Ring12 Ring_Back_Tone Ringing_Key_List RTCP_Tx_Interval
      RTP_Packet_Size RTP_Port_Max RTP_Port_Min Secure_All_Call_Act_Code
      Secure_Call_Indication_Tone Secure_No_Call_Act_Code
      Secure_One_Call_Act_Code Secure_One_Call_Deact_Code Server_Type
      Service_Annc_Base_Number Service_Annc_Extension_Codes
      Set_Local_Date__mm_dd_yyyy_ Set_Local_Time__HH_mm_
      Shared_Active_Key_List Shared_Held_Key_List Silent_Ring_Duration
      Sip_Accept_Encoding SIP_Accept_Language SIP_Reg_User_Agent_Name
      SIP_Server_Name SIP_T1 SIP_T2 SIP_T4 SIP_TCP_Port_Max SIP_TCP_Port_Min
      SIP_Timer_B SIP_Timer_D SIP_Timer_F SIP_Timer_H SIP_Timer_J
      SIP_User_Agent_Name Speed_Dial_Act_Code Start-Conf_Key_List
      Start-Xfer_Key_List Station_Display_Name STUN_Enable STUN_Server
      Sub_Max_Expires Sub_Min_Expires Sub_Retry_Intvl Subscribe_Delay
      Subscribe_Expires Subscribe_Retry_Interval System_Beep Text_Logo
      Time_Format Time_Offset__HH_mm_ Time_Zone Transport_Protocol
      Try_Backup_RSC Voice_Mail_Number XML_Application_Service_Name
      XML_Application_Service_URL XML_Directory_Service_Name
      XML_Directory_Service_URL XSI_Host_Server
    ]] },
  { type = "Str", ua = "ro", names = [[
      ACS_URL_In_Use Connection_Request_URL
    ]] },
  { type = "Str", ua = "rw", names = [[
      Back_Light_Timer Background_Picture_Type Bluetooth_Volume Cfwd_All_Dest
      Cfwd_Busy_Dest Cfwd_No_Ans_Delay Cfwd_No_Ans_Dest CW_Setting
      Display_Brightness Handset_Volume Headset_Volume Hold_Reminder_Ring
      Hold_Reminder_Timer Picture_Download_URL Ringer_Volume
      Screen_Saver_Refresh_Period Screen_Saver_Type Screen_Saver_Wait
      Speaker_Volume Speed_Dial_1 Speed_Dial_2 Speed_Dial_2_Name
      Speed_Dial_2_Number Speed_Dial_3 Speed_Dial_3_Name Speed_Dial_3_Number
      Speed_Dial_4 Speed_Dial_4_Name Speed_Dial_4_Number Speed_Dial_5
      Speed_Dial_5_Name Speed_Dial_5_Number Speed_Dial_6 Speed_Dial_6_Name
      Speed_Dial_6_Number Speed_Dial_7 Speed_Dial_7_Name Speed_Dial_7_Number
      Speed_Dial_8 Speed_Dial_8_Name Speed_Dial_8_Number Speed_Dial_9
      Speed_Dial_9_Name Speed_Dial_9_Number
    ]] },
}
