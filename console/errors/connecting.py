"""The codes of connecting and disconnecting a CRM by browser: SF and HS 05x, and what goes wrong on this machine."""

from console.errors.entry import Entry
from kpi_engine.declaring import Text

CONNECTING = (
    Entry(
        "KPI-SF-019",
        Text(
            "Salesforce no longer knows the connection",
            "Salesforce ya no conoce la conexión",
        ),
        Text(
            "The refresh token was revoked, expired by the app's policy, or was replaced by a program that did not "
            "keep its successor; or the user was frozen or may not sign in from this address.",
            "El token de actualización se revocó, caducó según la política de la aplicación, o lo sustituyó un "
            "programa que no guardó el nuevo; o el usuario está bloqueado o no puede entrar desde esta dirección.",
        ),
        Text(
            "Run `kpisync connect`: someone who may read what kpisync needs has to agree in the browser.",
            "Ejecute `kpisync connect`: alguien que pueda leer lo que kpisync necesita debe aceptar en el navegador.",
        ),
    ),
    Entry(
        "KPI-SF-050",
        Text(
            "Salesforce did not let the app in",
            "Salesforce no dejó entrar a la aplicación",
        ),
        Text(
            "Whoever was asked pressed Deny, the app is not installed in this org, or it is not set up for the web "
            "server flow with PKCE.",
            "Quien debía aceptar pulsó Denegar, la aplicación no está instalada en la organización, o no está "
            "configurada para el flujo de servidor web con PKCE.",
        ),
        Text(
            "Compare the External Client App with docs/salesforce.md, then run `kpisync connect` again.",
            "Compare la External Client App con docs/salesforce.es.md y ejecute de nuevo `kpisync connect`.",
        ),
    ),
    Entry(
        "KPI-SF-051",
        Text(
            "The app grants too little",
            "La aplicación concede demasiado poco",
        ),
        Text(
            "Without *api* nothing can be read; without *refresh_token, offline_access* the access ends with the first "
            "session.",
            "Sin *api* no se puede leer nada; sin *refresh_token, offline_access* el acceso termina con la primera "
            "sesión.",
        ),
        Text(
            "Give the External Client App both scopes, wait ten minutes, run `kpisync connect` again.",
            "Dé a la External Client App ambos ámbitos, espere diez minutos y ejecute de nuevo `kpisync connect`.",
        ),
    ),
    Entry(
        "KPI-SF-052",
        Text(
            "Salesforce refused to end the access",
            "Salesforce se negó a terminar el acceso",
        ),
        Text(
            "Nothing was forgotten on this machine, so that it can be tried again.",
            "En este equipo no se ha olvidado nada, para poder intentarlo de nuevo.",
        ),
        Text(
            "Revoke it in Salesforce (Setup › Connected Apps OAuth Usage), then run `kpisync disconnect "
            "--forget-anyway`.",
            "Revóquelo en Salesforce (Configuración › Uso de OAuth de aplicaciones conectadas) y ejecute `kpisync "
            "disconnect --forget-anyway`.",
        ),
    ),
    Entry(
        "KPI-SF-053",
        Text(
            "Salesforce takes no session of this app",
            "Salesforce no acepta ninguna sesión de esta aplicación",
        ),
        Text(
            "The kind of session is barred from the REST API, or the app is tied to an agent. Signing in again cannot "
            "help, so it is not tried.",
            "Ese tipo de sesión no puede usar la API REST, o la aplicación está ligada a un agente. Volver a iniciar "
            "sesión no sirve de nada, así que no se intenta.",
        ),
        Text(
            "Give the External Client App the scope *api*, or make one for kpisync alone.",
            "Dé a la External Client App el ámbito *api*, o cree una solo para kpisync.",
        ),
    ),
    Entry(
        "KPI-HS-015",
        Text(
            "HubSpot does not take the code from the browser",
            "HubSpot no acepta el código del navegador",
        ),
        Text(
            "The code was used already or is too old, or the app's redirect URL is another.",
            "El código ya se usó o es demasiado antiguo, o la URL de redirección de la aplicación es otra.",
        ),
        Text(
            "Run `kpisync connect` again, and enter in the app exactly the address that it names.",
            "Ejecute de nuevo `kpisync connect` e introduzca en la aplicación exactamente la dirección que indica.",
        ),
    ),
    Entry(
        "KPI-HS-050",
        Text(
            "HubSpot did not let the app in",
            "HubSpot no dejó entrar a la aplicación",
        ),
        Text(
            "Whoever was asked pressed Cancel, is no super admin of the portal, or the app lacks scopes.",
            "Quien debía aceptar pulsó Cancelar, no es superadministrador del portal, o a la aplicación le faltan "
            "ámbitos.",
        ),
        Text(
            "Compare the app with docs/hubspot.md, then run `kpisync connect` again as a super admin.",
            "Compare la aplicación con docs/hubspot.es.md y ejecute de nuevo `kpisync connect` como "
            "superadministrador.",
        ),
    ),
    Entry(
        "KPI-HS-051",
        Text(
            "HubSpot gave no refresh token",
            "HubSpot no dio un token de actualización",
        ),
        Text(
            "The code was taken, but what came back cannot be used for longer than half an hour.",
            "El código se aceptó, pero lo recibido no sirve más de media hora.",
        ),
        Text(
            "Run `kpisync connect` again; if it stays, report it with this code.",
            "Ejecute de nuevo `kpisync connect`; si persiste, comuníquelo con este código.",
        ),
    ),
    Entry(
        "KPI-HS-052",
        Text(
            "HubSpot refused to end the access",
            "HubSpot se negó a terminar el acceso",
        ),
        Text(
            "The app's client id or secret is not what HubSpot knows. Nothing was forgotten on this machine.",
            "El identificador o el secreto de la aplicación no es el que conoce HubSpot. En este equipo no se ha "
            "olvidado nada.",
        ),
        Text(
            "Uninstall the app in HubSpot (Settings › Integrations › Connected apps), then run `kpisync disconnect "
            "--forget-anyway`.",
            "Desinstale la aplicación en HubSpot (Configuración › Integraciones › Aplicaciones conectadas) y ejecute "
            "`kpisync disconnect --forget-anyway`.",
        ),
    ),
    Entry(
        "KPI-NET-002",
        Text(
            "Nobody came back from the CRM's page",
            "Nadie volvió de la página del CRM",
        ),
        Text(
            "`kpisync connect` waits five minutes for the browser, or as long as `--wait` says. The page may have "
            "shown an error of its own: an unknown client id, or a redirect address that the app does not name.",
            "`kpisync connect` espera al navegador cinco minutos, o lo que diga `--wait`. La página pudo mostrar un "
            "error propio: un identificador de cliente desconocido, o una dirección de redirección que la aplicación "
            "no nombra.",
        ),
        Text(
            "Enter the redirect address in the app exactly as kpisync names it, and run `kpisync connect` again. If "
            "the browser runs on another machine, forward the port: `ssh -L 8766:127.0.0.1:8766`.",
            "Introduzca en la aplicación la dirección de redirección tal como la nombra kpisync y ejecute de nuevo "
            "`kpisync connect`. Si el navegador está en otro equipo, redirija el puerto: `ssh -L 8766:127.0.0.1:8766`.",
        ),
    ),
    Entry(
        "KPI-NET-003",
        Text(
            "The port of this machine is taken",
            "El puerto de este equipo está ocupado",
        ),
        Text(
            "The CRM sends the browser back to a port on which another program listens; perhaps another `kpisync "
            "connect`.",
            "El CRM devuelve el navegador a un puerto en el que escucha otro programa; quizá otro `kpisync connect`.",
        ),
        Text(
            "End that program, or choose another port with `--port`; the app must then name that address.",
            "Termine ese programa, o elija otro puerto con `--port`; la aplicación debe nombrar entonces esa "
            "dirección.",
        ),
    ),
)
